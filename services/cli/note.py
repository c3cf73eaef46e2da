"""``recount note``: write something into an incident's timeline."""

import sys
from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, AtOption, IncidentArgument, give_order


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def note(
        incident: IncidentArgument,
        text: Annotated[str, typer.Argument(help="The note; `-` reads it from standard input.")],
        at: AtOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Write a note into an incident's timeline."""
        said = sys.stdin.read().strip() if text == "-" else text
        give_order(data, actor, incident, "note", {"text": said, "happened_at": at}, as_json=as_json)
