"""``recount sql``: one SELECT over everything that happened."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, show_json, show_table
from services.cli.orders import AsOfOption
from services.cli.reading import catch_up


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def sql(
        query: Annotated[
            str, typer.Argument(help="One SELECT; `-` reads it from standard input. Left out: the views are listed.")
        ] = "",
        as_of: AsOfOption = "",
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV (RFC 4180).")] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Ask the views with one SELECT, now or as of any moment. Every time is UTC."""
        if as_csv and as_json:
            raise typer.BadParameter("choose one of --csv and --json")
        if not query:
            _list_views(data, as_json=as_json)
            return
        text = sys.stdin.read() if query == "-" else query
        asked = {"sql": text, "as_of": as_of or None, "format": "csv" if as_csv else "json"}
        with connect(data) as api:
            catch_up(api)
            if as_csv:
                sys.stdout.write(api.ask("POST", "/api/sql", json=asked).text)
                return
            answer = api.post("/api/sql", json=asked)
        if as_json:
            show_json(answer)
            return
        show_table([column["name"] for column in answer["columns"]], answer["rows"], empty="No rows.")
        note(_footing(answer))


def first_sentence(text: str) -> str:
    """What a row says in short: the first sentence of a view's header."""
    return " ".join(text.replace("``", "`").split()).partition(". ")[0].removesuffix(".") + "."


def _list_views(data: Path, *, as_json: bool) -> None:
    with connect(data) as api:
        views = api.get("/api/views")
    if as_json:
        show_json(views)
        return
    show_table(("view", "what a row says"), [(view["name"], first_sentence(view["sentence"])) for view in views])
    note("`recount sql 'describe VIEW'` lists the columns; docs/projections.md tells all.")


def _footing(answer: dict[str, Any]) -> str:
    rows = f"{len(answer['rows'])} row{'' if len(answer['rows']) == 1 else 's'}"
    cut = ", cut at the limit" if answer["truncated"] else ""
    return f"{rows}{cut}, {answer['elapsed_ms']:.0f} ms, as of log position {answer['position']}"
