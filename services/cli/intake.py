"""``recount intake``: what could not be understood, and trying it again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json, show_table
from services.cli.intake_ledger import add_ledger
from services.cli.intake_trying import add_try
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import show_done
from services.cli.reading import catch_up
from services.cli.times import short_time
from services.command import Done


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    letters = typer.Typer(
        invoke_without_command=True, help="Messages that a service could not use and set aside, so that others go on."
    )
    intake = typer.Typer(no_args_is_help=True, help="Intake: what senders said, and what became of it.")
    intake.add_typer(letters, name="dead-letters")
    add_try(intake)
    add_ledger(intake)
    app.add_typer(intake, name="intake")
    # Any service may set a message aside, so they have a name of their own, too.
    app.add_typer(letters, name="dead-letters")

    @letters.callback()
    def dead_letters(context: typer.Context, data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        if context.invoked_subcommand is None:
            _list(everything=False, lens={}, data=data, as_json=as_json)

    @letters.command(name="list")
    def list_letters(
        everything: Annotated[bool, typer.Option("--all", help="Those that were handled since, too.")] = False,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the dead letters of every service, the newest first. Times are UTC."""
        lens = asked_lens(as_of, happened_by, known_by)
        _list(everything=everything, lens=lens, data=data, as_json=as_json)

    @letters.command()
    def replay(
        dead_letter: Annotated[str, typer.Argument(help="Its id; `all` replays every one that waits.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Try a dead letter again, as after a repair of its adapter. Exit code 1 when one fails again."""
        with connect(data) as api:
            waiting = (
                [row["dead_letter_id"] for row in reversed(_letters(api))] if dead_letter == "all" else [dead_letter]
            )
            for identifier in waiting:
                show_done(msgspec.convert(api.post(f"/api/dead-letters/{identifier}/replay"), Done), as_json=as_json)
            left = {row["dead_letter_id"] for row in _letters(api)}
        if not waiting:
            say("No dead letters wait.")
        if left.intersection(waiting):
            raise typer.Exit(1)


def _letters(
    api: Api, *, everything: bool = False, lens: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """The dead letters that wait or failed again, or all; the newest first."""
    catch_up(api)
    found: list[dict[str, Any]] = api.get("/api/dead-letters", **(lens or {}))["dead_letters"]
    return [row for row in found if everything or row["state"] != "handled"]


def _list(*, everything: bool, lens: Mapping[str, str | None], data: Path, as_json: bool) -> None:
    with connect(data) as api:
        shown = _letters(api, everything=everything, lens=lens)
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
