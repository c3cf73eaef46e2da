"""``recount rename``: a clearer name."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def rename(
        incident: IncidentArgument,
        title: Annotated[str, typer.Argument(help="What is wrong, in a few words.")],
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Give an incident a clearer name."""
        give_order(data, actor, incident, "rename", {"title": title}, as_json=as_json)
