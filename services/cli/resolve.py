"""``recount resolve``: recovered, and verified."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import NO_BOUNDS, ActorOption, AtOption, BetweenOption, IncidentArgument, give_order, happened


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def resolve(
        incident: IncidentArgument,
        summary: Annotated[str, typer.Argument(help="What brought it back, in a sentence.")] = "",
        waiver: Annotated[str, typer.Option(help="Security: why it was not eradicated first.")] = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that an incident is over: recovered, and verified."""
        command = {"summary": summary, "waiver": waiver} | happened(at, between)
        give_order(data, actor, incident, "resolve", command, as_json=as_json)
