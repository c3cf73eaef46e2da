"""``recount severity``: say how bad it is now."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def severity(
        incident: IncidentArgument,
        level: Annotated[str, typer.Argument(metavar="SEVERITY", help="sev1 (worst) to sev5.")],
        reason: Annotated[str, typer.Option(help="Why.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Change an incident's severity."""
        give_order(data, actor, incident, "severity", {"severity": level, "reason": reason}, as_json=as_json)
