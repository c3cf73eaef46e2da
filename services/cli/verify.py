"""``recount verify``: prove that the views say what the log says."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json, show_table
from services.cli.reading import catch_up


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def verify(
        views: Annotated[
            bool, typer.Option("--views", help="Compare the live views with a rebuild (today the only check there is).")
        ] = True,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Rebuild every view beside the live one and name every row that differs. Exit code 1 when one does."""
        with connect(data) as api:
            catch_up(api)
            answer = api.post("/api/verify/views")
        differences = answer["differences"]
        if as_json:
            show_json(answer)
        elif differences:
            show_table(list(differences[0]), [list(difference.values()) for difference in differences])
            say(f"{len(differences)} rows differ from a rebuild at log position {answer['position']}.")
            say("Run `recount rebuild` to repair them, and report it: this is a fault of Recount.")
        else:
            count = answer["projections"] if isinstance(answer["projections"], int) else len(answer["projections"])
            say(f"{count} views equal a rebuild at log position {answer['position']}.")
        if differences:
            raise typer.Exit(1)
