"""``recount changes``: deployments and other changes that senders told of."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, shortened, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.list import TITLE_CHARS_MAX
from services.cli.orders import ActorOption, IncidentArgument, give_order
from services.cli.reading import catch_up
from services.cli.times import short_time

# A digest is known by its beginning.
VERSION_CHARS_MAX = 24

ChangeArgument = Annotated[str, typer.Argument(metavar="CHANGE", help="Its key, as `recount changes list` shows it.")]
PartArgument = Annotated[
    str, typer.Argument(metavar="PART", help="cause, or remedy: made to end it, as a rollback or a hotfix is.")
]
ReasonOption = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    changes = typer.Typer(no_args_is_help=True, help="Deployments and other changes that senders told of.")
    app.add_typer(changes, name="changes")

    @changes.command(name="list")
    def list_changes(
        service: Annotated[str, typer.Option(help="Only those of one service.")] = "",
        incident: Annotated[
            str, typer.Option(help="Only those around an incident: its service's, from a day before it began.")
        ] = "",
        hours: Annotated[int | None, typer.Option(min=1, help="Only those of the last hours.")] = None,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List changes, the newest first. Times are UTC."""
        lens = asked_lens(as_of, happened_by, known_by)
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/changes", service=service or None, incident=incident or None, hours=hours, **lens)
        if as_json:
            show_json(answer)
            return
        show_table(
            ("change", "changed", "service", "environment", "kind", "outcome", "version", "from", "title"),
            [
                (
                    row["change_key"],
                    short_time(row["changed_at"]),
                    row["service"],
                    row["environment"],
                    row["kind"],
                    row["outcome"],
                    shortened(row["version"] or "", VERSION_CHARS_MAX),
                    row["sender"],
                    shortened(row["title"] or "", TITLE_CHARS_MAX),
                )
                for row in answer["changes"]
            ],
            empty="No changes. `recount intake sources` tells what can send them.",
        )

    @changes.command(name="link")
    def link_change(
        incident: IncidentArgument,
        change: ChangeArgument,
        part: PartArgument = "cause",
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that a change caused an incident, or was made to end it. DORA's metrics count what is said here alone."""
        command = {"change_key": change, "part": part, "reason": reason}
        give_order(data, actor, incident, "link_change", command, as_json=as_json)

    @changes.command(name="unlink")
    def unlink_change(
        incident: IncidentArgument,
        change: ChangeArgument,
        part: PartArgument = "cause",
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that a change did not cause an incident, or did not end it, after all."""
        command = {"change_key": change, "part": part, "reason": reason}
        give_order(data, actor, incident, "unlink_change", command, as_json=as_json)
