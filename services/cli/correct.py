"""``recount correct`` and ``recount retract``: what was recorded and was not so."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import (
    NO_BOUNDS,
    ActorOption,
    BetweenOption,
    IncidentArgument,
    PositionOption,
    give_order,
)

GivenReasonOption = Annotated[str, typer.Option("--reason", help="Why it is believed now.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def correct(
        incident: IncidentArgument,
        milestone: Annotated[
            str,
            typer.Argument(
                help="impact_started, detected, notified, acknowledged, declared, identified, contained, "
                "mitigated, eradicated, resolved, closed or reopened."
            ),
        ],
        at: Annotated[str, typer.Option("--at", metavar="TIME", help="When it was reached; ISO 8601, UTC by default.")],
        reason: GivenReasonOption,
        evidence: Annotated[str, typer.Option(help="What shows it: a link or a reference.")] = "",
        between: BetweenOption = NO_BOUNDS,
        position: PositionOption = 0,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Correct when an incident reached a milestone. What was said before stays in the log, and is shown as such."""
        command = {
            "milestone": milestone,
            "occurred_at": at,
            "reason": reason,
            "evidence": evidence,
            "earliest": between[0],
            "latest": between[1],
            "seq": position,
        }
        give_order(data, actor, incident, "correct", command, as_json=as_json)

    @app.command()
    def retract(
        incident: IncidentArgument,
        position: Annotated[int, typer.Argument(metavar="SEQ", help="Log position; `recount show` lists them.")],
        reason: GivenReasonOption,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Take an event back that is not so, of the incident, its pages, alerts or review. It stays in the log."""
        give_order(data, actor, incident, "retract", {"seq": position, "reason": reason}, as_json=as_json)
