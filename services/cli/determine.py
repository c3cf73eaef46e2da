"""``recount determine``: what it turned out to be."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, PositionOption, WasWrongOption, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def determine(
        incident: IncidentArgument,
        determination: Annotated[
            str,
            typer.Argument(help="suspected, confirmed, false_positive, benign, blocked, failed_attempt or exercise."),
        ],
        reason: Annotated[str, typer.Option(help="How you know.")] = "",
        was_wrong: WasWrongOption = False,
        position: PositionOption = 0,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say what it turned out to be; after the resolution, what denies the incident dismisses it."""
        verb, which = ("correct_determination", {"seq": position}) if was_wrong else ("determine", {})
        command = {"determination": determination, "reason": reason} | which
        give_order(data, actor, incident, verb, command, as_json=as_json)
