"""Incidents that the tests of the metrics share."""

from collections.abc import Sequence
from typing import Any

from events.incident import (
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentContained,
    IncidentDeclared,
    IncidentResolved,
)
from events.page import PageRequested, PageSent
from tests.spec import BOB, Told, incident, moment, page

DECLARED = IncidentDeclared(title="checkout is down", severity="sev2", service="checkout")
REQUESTED = PageRequested(
    incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
)


def mark(clock_time: str, seq: int) -> dict[str, Any]:
    """What a metric starts or ends at: a precise time and the event, by its place in the log, that says it."""
    return {
        "happened_at": moment(clock_time),
        "seq": seq,
        "event_id": f"event-{seq}",
        "earliest": None,
        "latest": None,
    }


def whole_incident() -> tuple[Sequence[Told], ...]:
    """INC-42: impact 09:00, detected 09:04, paged 09:05, acknowledged 09:07, contained 09:20, mitigated 09:25,
    resolved 09:40."""
    return (
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        page("pg-1", REQUESTED, at="09:04"),
        page("pg-1", PageSent(channel="smtp", contact=0, attempt=1), at="09:05"),
        incident("INC-42", IncidentAcknowledged(page_id="pg-1"), at="09:07", by=BOB),
        incident("INC-42", IncidentContained(), at="09:20"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:25"),
        incident("INC-42", IncidentResolved(), at="09:40"),
    )
