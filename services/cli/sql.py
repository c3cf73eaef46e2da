"""``recount sql``: one SELECT over everything that happened."""

import sys
from typing import Annotated, Any

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, show_json, show_table
from services.cli.orders import AsOfOption


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def sql(
        query: Annotated[str, typer.Argument(help="One SELECT; `-` reads it from standard input.")],
        as_of: AsOfOption = "",
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV (RFC 4180).")] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Ask the views with SQL. `select name, sentence from views` is a good start; every time is UTC."""
        if as_csv and as_json:
            raise typer.BadParameter("choose one of --csv and --json")
        text = sys.stdin.read() if query == "-" else query
        asked = {"sql": text, "as_of": as_of or None, "format": "csv" if as_csv else "json"}
        with connect(data) as api:
            if as_csv:
                sys.stdout.write(api.ask("POST", "/api/sql", json=asked).text)
                return
            answer = api.post("/api/sql", json=asked)
        if as_json:
            show_json(answer)
            return
        show_table([column["name"] for column in answer["columns"]], answer["rows"], empty="No rows.")
        note(_footing(answer))


def _footing(answer: dict[str, Any]) -> str:
    rows = f"{len(answer['rows'])} row{'' if len(answer['rows']) == 1 else 's'}"
    cut = ", cut at the limit" if answer["truncated"] else ""
    return f"{rows}{cut}, {answer['elapsed_ms']:.0f} ms, as of log position {answer['position']}"
