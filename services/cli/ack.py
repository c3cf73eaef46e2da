"""``recount ack``: take an incident in hand."""

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def ack(
        incident: IncidentArgument,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Take an incident in hand: paging stops."""
        give_order(data, actor, incident, "acknowledge", {}, as_json=as_json)
