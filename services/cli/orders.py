"""Commands about incidents, as the verbs send them, and how the answers are shown."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from events.ids import new_event_id
from services.cli.client import Api, connect
from services.cli.console import say, show_json
from services.command import Done

ActorOption = Annotated[
    str,
    typer.Option(
        "--as", metavar="HANDLE", envvar="RECOUNT_PERSON", help="In whose name; needs an admin token or one's own."
    ),
]
IncidentArgument = Annotated[str, typer.Argument(metavar="INCIDENT", help="Such as INC-42, or only 42.")]
AtOption = Annotated[
    str,
    typer.Option("--at", metavar="TIME", help="When it happened, if that was earlier; ISO 8601, UTC unless it says."),
]

BetweenOption = Annotated[
    tuple[str, str],
    typer.Option(
        "--between",
        metavar="EARLIEST LATEST",
        help="Bounds, when --at is not known precisely.",
    ),
]
NO_BOUNDS = ("", "")
PositionOption = Annotated[
    int, typer.Option("--position", metavar="SEQ", help="Log position of the event that was wrong; default: the last.")
]
WasWrongOption = Annotated[
    bool, typer.Option("--was-wrong", help="What was said before was wrong from the start; needs a reason.")
]


def happened(at: str, between: tuple[str, str]) -> dict[str, str]:
    """When something happened, as an order says it."""
    return {"happened_at": at, "happened_earliest": between[0], "happened_latest": between[1]}


def incident_id(text: str) -> str:
    """``INC-42`` for ``INC-42``, ``inc-42`` or ``42``.

    Raises:
        RecountError: it is none of them.
    """
    found = re.fullmatch(r"(?:inc-)?([1-9][0-9]*)", text.strip(), re.IGNORECASE)
    if found is None:
        raise RecountError(
            f"{text!r} is not an incident", hint="Incidents look like INC-42; `recount list` shows them."
        )
    return f"INC-{found[1]}"


def give_order(data: Path, actor: str, incident: str, verb: str, command: Mapping[str, Any], *, as_json: bool) -> None:
    """Ask for something about an incident and show the answer.

    Raises:
        RecountError: refused, with what to do instead; or the platform cannot be reached.
    """
    with connect(data, actor=actor) as api:
        show_done(send_order(api, incident, verb, command), as_json=as_json)


def send_order(api: Api, incident: str, verb: str, command: Mapping[str, Any], *, actor: str = "") -> Done:
    """Ask for something about an incident. What is left empty is not sent, so that it stays as it is."""
    headers = {"Idempotency-Key": new_event_id()} | ({"Recount-Actor": actor} if actor else {})
    return msgspec.convert(
        api.post(f"/api/incidents/{incident_id(incident)}/{verb}", json=said(command), headers=headers), Done
    )


def said(command: Mapping[str, Any]) -> dict[str, Any]:
    """A command without what was not said."""
    return {name: value for name, value in command.items() if value not in ("", None)}


def show_done(done: Done, *, as_json: bool) -> None:
    """Show what holds now, and where the log says so."""
    if as_json:
        show_json(done)
        return
    say(f"{done.message} (log position {done.seq})" if done.seq else f"{done.message} (nothing to change)")
