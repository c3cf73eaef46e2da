"""``recount assign``, ``relieve``, ``offer`` and ``accept``: who holds which role."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, give_order

WhoArgument = Annotated[str, typer.Argument(metavar="HANDLE", help="Such as ada.")]
RoleOption = Annotated[str, typer.Option(help="commander, deputy, scribe, operations, communications or expert.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def assign(
        incident: IncidentArgument,
        who: WhoArgument,
        role: RoleOption = "commander",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Give a person a role, the commander's unless told otherwise."""
        give_order(data, actor, incident, "assign", {"role": role, "person_id": who}, as_json=as_json)

    @app.command()
    def relieve(
        incident: IncidentArgument,
        who: WhoArgument,
        role: RoleOption = "commander",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """End a person's role."""
        give_order(data, actor, incident, "relieve", {"role": role, "person_id": who}, as_json=as_json)

    @app.command()
    def offer(
        incident: IncidentArgument,
        who: WhoArgument,
        role: RoleOption = "commander",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Offer a role that you hold; you keep it until the other accepts."""
        give_order(data, actor, incident, "offer", {"role": role, "person_id": who}, as_json=as_json)

    @app.command()
    def accept(
        incident: IncidentArgument,
        role: RoleOption = "commander",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Take over a role that was offered to you."""
        give_order(data, actor, incident, "accept", {"role": role}, as_json=as_json)
