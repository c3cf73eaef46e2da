"""``recount link`` and ``recount unlink``: which alerts belong to an incident."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, give_order

AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's key, as `recount show` prints it.")]
ReasonOption = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def link(
        incident: IncidentArgument,
        alert: AlertArgument,
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that an alert belongs to an incident."""
        give_order(data, actor, incident, "link", {"alert_key": alert, "reason": reason}, as_json=as_json)

    @app.command()
    def unlink(
        incident: IncidentArgument,
        alert: AlertArgument,
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that an alert does not belong to an incident after all."""
        give_order(data, actor, incident, "unlink", {"alert_key": alert, "reason": reason}, as_json=as_json)
