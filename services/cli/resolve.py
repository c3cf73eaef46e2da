"""``recount resolve``: recovered, and verified."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, AtOption, IncidentArgument, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def resolve(
        incident: IncidentArgument,
        summary: Annotated[str, typer.Argument(help="What brought it back, in a sentence.")] = "",
        waiver: Annotated[str, typer.Option(help="Security: why it was not eradicated first.")] = "",
        at: AtOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that an incident is over: recovered, and verified."""
        command = {"summary": summary, "waiver": waiver, "happened_at": at}
        give_order(data, actor, incident, "resolve", command, as_json=as_json)
