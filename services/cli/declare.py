"""``recount declare``: say that something is an incident."""

from typing import Annotated

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import ActorOption, said, show_done
from services.command import Done


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def declare(
        title: Annotated[str, typer.Argument(help="What is wrong, in a few words.")],
        severity: Annotated[str, typer.Option(help="sev1 (worst) to sev5.")] = "sev3",
        service: Annotated[str, typer.Option(help="What it is about, such as checkout.")] = "",
        profile: Annotated[str, typer.Option(help="ops, or security.")] = "",
        reason: Annotated[str, typer.Option(help="Which criteria were met.")] = "",
        commander: Annotated[str, typer.Option(metavar="HANDLE", help="Who leads from now on.")] = "",
        detected_at: Annotated[str, typer.Option(metavar="TIME", help="The first sign, if it came earlier.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Declare an incident. Prints its number."""
        with connect(data, actor=actor) as api:
            command = {
                "title": title,
                "severity": severity,
                "service": service,
                "profile": profile,
                "reason": reason,
                "commander": commander,
                "detected_at": detected_at,
            }
            answer = api.post("/api/incidents", json=said(command), headers={"Idempotency-Key": new_event_id()})
        show_done(msgspec.convert(answer, Done), as_json=as_json)
