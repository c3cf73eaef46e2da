"""``recount intake``: what could not be understood, and trying it again."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from events import RecountError
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json, show_table
from services.cli.orders import show_done
from services.cli.times import short_time
from services.command import Done


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    letters = typer.Typer(
        invoke_without_command=True, help="Messages that a service could not use and set aside, so that others go on."
    )
    intake = typer.Typer(no_args_is_help=True, help="Intake: what senders said and nobody could use.")
    intake.add_typer(letters, name="dead-letters")
    app.add_typer(intake, name="intake")
    # Any service may set a message aside, so they have a name of their own, too.
    app.add_typer(letters, name="dead-letters")

    @letters.callback()
    def dead_letters(context: typer.Context, data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        if context.invoked_subcommand is None:
            _list(everything=False, data=data, as_json=as_json)

    @letters.command(name="list")
    def list_letters(
        everything: Annotated[bool, typer.Option("--all", help="Those that were handled since, too.")] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the dead letters of every service, the newest first. Times are UTC."""
        _list(everything=everything, data=data, as_json=as_json)

    @letters.command()
    def replay(
        dead_letter: Annotated[str, typer.Argument(help="Its id; `all` replays every one that waits.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Try a dead letter again, as after a repair of its adapter. Exit code 1 when one fails again."""
        failures = 0
        with connect(data) as api:
            waiting = [dead_letter]
            if dead_letter == "all":
                found = api.get("/api/dead-letters")["dead_letters"]
                waiting = [row["dead_letter_id"] for row in reversed(found) if row["state"] != "handled"]
            for identifier in waiting:
                try:
                    answer = api.post(f"/api/dead-letters/{identifier}/replay")
                except RecountError as error:
                    if dead_letter != "all":
                        raise
                    failures += 1
                    say(f"{identifier}: {error}")
                else:
                    show_done(msgspec.convert(answer, Done), as_json=as_json)
        if not waiting:
            say("No dead letters wait.")
        if failures:
            raise typer.Exit(1)


def _list(*, everything: bool, data: Path, as_json: bool) -> None:
    with connect(data) as api:
        found = api.get("/api/dead-letters")["dead_letters"]
    shown = [row for row in found if everything or row["state"] != "handled"]
    if as_json:
        show_json({"dead_letters": shown})
        return
    show_table(
        ("dead letter", "service", "from", "position", "recorded", "state", "error"),
        [
            (
                row["dead_letter_id"],
                row["service"],
                row["source_subject"],
                row["source_seq"],
                short_time(row["recorded_at"]),
                row["state"],
                row["error"],
            )
            for row in shown
        ],
        empty="No dead letters.",
    )
