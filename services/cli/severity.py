"""``recount severity``: say how bad it is now."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, IncidentArgument, PositionOption, WasWrongOption, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def severity(
        incident: IncidentArgument,
        level: Annotated[str, typer.Argument(metavar="SEVERITY", help="sev1 (worst) to sev5.")],
        reason: Annotated[str, typer.Option(help="Why.")] = "",
        was_wrong: WasWrongOption = False,
        position: PositionOption = 0,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Change an incident's severity, or correct one that was wrong from the start."""
        verb, which = ("correct_severity", {"seq": position}) if was_wrong else ("severity", {})
        give_order(data, actor, incident, verb, {"severity": level, "reason": reason} | which, as_json=as_json)
