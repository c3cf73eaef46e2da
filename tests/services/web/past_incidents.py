"""Incidents of an earlier month, told to a running platform with the times at which they happened."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from events import Event, Fact, Write
from events.ids import new_event_id
from events.incident import ImpactStarted, IncidentDeclared, IncidentResolved
from tests.services.web.stack import ADA, Stack


def tell(recount: Stack, incident_id: str, *facts: tuple[datetime, Fact]) -> int:
    """Write facts of an incident with the times at which they happened; the position of the last, readable."""

    async def work() -> int:
        stream = f"incident.{incident_id}"
        history = await recount.actors.log.read(stream)
        events = tuple(
            Event(id=new_event_id(), fact=fact, happened_at=at, source="recount/test", actor=ADA) for at, fact in facts
        )
        return await recount.actors.log.append(Write(stream, history[-1].seq if history else 0, events))

    seq: int = recount.ask(work)
    with recount.client() as client:
        client.get("/api/position", params={"min_position": seq}).raise_for_status()
    return seq


def tell_month(
    recount: Stack, start: datetime, minutes: Mapping[str, float | None], *, service: str, severity: str = "sev2"
) -> None:
    """One incident after the other, two hours apart, each resolved after so many minutes of impact; None: never."""
    for number, (incident_id, length) in enumerate(minutes.items()):
        began = start.replace(tzinfo=UTC) + timedelta(hours=2 * number)
        facts: list[tuple[datetime, Fact]] = [
            (began + timedelta(minutes=4), IncidentDeclared(title="slow", severity=severity, service=service)),
            (began, ImpactStarted(scope=service, level=2)),
        ]
        if length is not None:
            facts.append((began + timedelta(minutes=length), IncidentResolved()))
        tell(recount, incident_id, *facts)
