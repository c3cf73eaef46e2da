"""``recount sql``: one SELECT over everything that happened."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens, bounds
from services.cli.reading import catch_up
from services.cli.views import list_views

# Neither is text: a terminal would show rubbish, or worse, obey it.
_BINARY = ("arrow", "parquet")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def sql(
        query: Annotated[
            str, typer.Argument(help="One SELECT; `-` reads it from standard input. Left out: the views are listed.")
        ] = "",
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        answer_format: Annotated[
            Literal["table", "json", "csv", "arrow", "parquet"],
            typer.Option("--format", help="Of the answer; an arrow or parquet file may hold a million rows."),
        ] = "table",
        as_csv: Annotated[bool, typer.Option("--csv", help="Short for --format csv (RFC 4180).")] = False,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of printing it.")
        ] = None,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Ask the views with one SELECT, now or through a lens. Every time is UTC."""
        wanted = {answer_format} - {"table"} | ({"csv"} if as_csv else set()) | ({"json"} if as_json else set())
        if len(wanted) > 1:
            raise typer.BadParameter(f"choose one format, not {' and '.join(sorted(wanted))}")
        [chosen] = wanted or {"table"}
        if not query:
            list_views(data, as_json=chosen == "json")
            return
        if output is not None and chosen == "table":
            raise typer.BadParameter("a table is for the screen; say what the file shall hold with --format")
        if chosen in _BINARY and output is None and sys.stdout.isatty():
            raise typer.BadParameter(f"{chosen} is not for the screen; name a file with --output")
        text = sys.stdin.read() if query == "-" else query
        question = {"sql": text} | asked_lens(as_of, happened_by, known_by)
        with connect(data) as api:
            catch_up(api)
            if chosen in ("table", "json") and output is None:
                answer = api.post("/api/sql", json=question)
                _show(answer, question, as_json=chosen == "json")
            else:
                _save(api, question | {"format": chosen}, output)


def _show(answer: Mapping[str, Any], question: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(answer)
        return
    show_table([column["name"] for column in answer["columns"]], answer["rows"], empty="No rows.")
    rows = f"{len(answer['rows'])} row{'' if len(answer['rows']) == 1 else 's'}"
    cut = ", cut at the limit" if answer["truncated"] else ""
    where = f"as of log position {answer['position']}{bounds(question)}"
    note(f"{rows}{cut}, {answer['elapsed_ms']:.0f} ms, {where}")


def _save(api: Api, question: Mapping[str, Any], output: Path | None) -> None:
    headers = api.download("POST", "/api/sql", json=question, to=output)
    if output is not None:
        note(f"{output}: {output.stat().st_size} bytes, as of log position {headers['Recount-Position']}")
    if headers.get("Recount-Truncated") == "true":
        note("The answer was cut at the limit: narrow it with WHERE, or ask in parts.")
