"""``recount verify``: prove that the views say what the log says, and that nothing received is unaccounted for."""

from typing import Annotated, Any

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json, show_table
from services.cli.reading import catch_up
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def verify(
        views: Annotated[
            bool,
            typer.Option("--views", help="Compare the live views with a rebuild; the ledger, too."),
        ] = True,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Rebuild every view beside the live one and name every row that differs, and every hour of a source in which a
        receipt is unaccounted for. Exit code 1 when there is one."""
        with connect(data) as api:
            catch_up(api)
            answer = api.post("/api/verify/views")
            ledger = api.post("/api/verify/ledger")
        differences = answer["differences"]
        if as_json:
            show_json(answer | {"ledger": ledger})
        elif differences:
            show_table(list(differences[0]), [list(difference.values()) for difference in differences])
            say(f"{len(differences)} rows differ from a rebuild at log position {answer['position']}.")
            say("Run `recount rebuild` to repair them, and report it: this is a fault of Recount.")
        else:
            count = answer["projections"] if isinstance(answer["projections"], int) else len(answer["projections"])
            say(f"{count} views equal a rebuild at log position {answer['position']}.")
        if not as_json:
            _say_of_ledger(ledger)
        if differences or ledger["differences"]:
            raise typer.Exit(1)


def _say_of_ledger(ledger: dict[str, Any]) -> None:
    for row in ledger["differences"]:
        say(
            f"Of {row['received']} receipts of {row['source']} ({row['integration']}) in the hour of "
            f"{short_time(row['hour'])}, {row['accounted']} are accounted for; the first that is not is receipt "
            f"{row['first_receipt_seq']}."
        )
    if not ledger["differences"]:
        say(
            f"The ledger balances: {ledger['received']} received = {ledger['facts']} facts + {ledger['duplicates']} "
            f"duplicates + {ledger['refused']} refused + {ledger['dead']} dead, through receipt "
            f"{ledger['counted_through']}."
        )
