"""``recount declare`` and ``recount open``: say that something is an incident, or that it may be one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import (
    NO_BOUNDS,
    ActorOption,
    AtOption,
    BetweenOption,
    give_order,
    happened,
    said,
    show_done,
)
from services.command import Done

SEVERITY_DEFAULT = "sev3"

TitleArgument = Annotated[str, typer.Argument(help="What is wrong, in a few words.")]
ServiceOption = Annotated[str, typer.Option(help="What it is about, such as checkout.")]
ProfileOption = Annotated[str, typer.Option(help="ops, or security.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""

    @app.command()
    def declare(
        title: Annotated[
            str, typer.Argument(metavar="TITLE|INCIDENT", help="What is wrong, in a few words; or INC-42 in triage.")
        ],
        severity: Annotated[str, typer.Option(help="sev1 (worst) to sev5.", show_default="sev3, or as in triage")] = "",
        service: ServiceOption = "",
        profile: ProfileOption = "",
        reason: Annotated[str, typer.Option(help="Which criteria were met.")] = "",
        commander: Annotated[str, typer.Option(metavar="HANDLE", help="Who leads from now on.")] = "",
        detected_at: Annotated[str, typer.Option(metavar="TIME", help="The first sign, if it came earlier.")] = "",
        at: Annotated[
            str, typer.Option("--at", metavar="TIME", help="When it was declared, if that was earlier.")
        ] = "",
        resolved_at: Annotated[
            str, typer.Option(metavar="TIME", help="When it was over, if it is: it wakes nobody.")
        ] = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Declare an incident, a new one or one that is in triage. Prints its number."""
        command = {
            "service": service,
            "profile": profile,
            "reason": reason,
            "commander": commander,
            "detected_at": detected_at,
            "resolved_at": resolved_at,
        } | happened(at, between)
        # A number alone may be a title; an incident in full is none.
        if re.fullmatch(r"INC-[1-9][0-9]*", title, re.IGNORECASE):
            give_order(data, actor, title, "declare", command | {"severity": severity}, as_json=as_json)
        else:
            new = command | {"title": title, "severity": severity or SEVERITY_DEFAULT}
            _begin(data, actor, new, as_json=as_json)

    @app.command(name="open")
    def open_for_triage(
        title: TitleArgument,
        severity: Annotated[str, typer.Option(help="How bad it would be: sev1 (worst) to sev5.")] = SEVERITY_DEFAULT,
        service: ServiceOption = "",
        profile: ProfileOption = "",
        reason: Annotated[str, typer.Option(help="What makes you suspect it.")] = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Open a suspected incident for triage; then declare or dismiss it. Prints its number."""
        command = {
            "type": "open",
            "title": title,
            "severity": severity,
            "service": service,
            "profile": profile,
            "reason": reason,
        } | happened(at, between)
        _begin(data, actor, command, as_json=as_json)


def _begin(data: Path, actor: str, command: Mapping[str, Any], *, as_json: bool) -> None:
    with connect(data, actor=actor) as api:
        answer = api.post("/api/incidents", json=said(command), headers={"Idempotency-Key": new_event_id()})
    show_done(msgspec.convert(answer, Done), as_json=as_json)
