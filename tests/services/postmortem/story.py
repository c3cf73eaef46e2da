"""One incident, told in full: checkout is slow, somebody is paged, it is mitigated, resolved and learned from."""

from collections.abc import Sequence

from events import Stored
from events.alert import AlertCleared, AlertFired
from events.incident import (
    AlertLinked,
    DeterminationSet,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentContained,
    IncidentDeclared,
    IncidentOpened,
    IncidentResolved,
    IncidentSeverityChanged,
    Noted,
    RoleAssigned,
)
from events.page import PageAnswered, PageAttempted, PageFailed, PageRequested, PageSent, PageWithheld
from events.review import ActionAgreed, ActionDone
from tests.spec import ADA, BOB, GRACE, Told, alert, incident, log_of, page, stream

LATENCY = AlertFired(
    integration="key-alertmanager",
    sender="alertmanager",
    fingerprint="b3c1f0a2",
    occurrence=1,
    title="Checkout latency above 2 s",
    severity="critical",
    service="checkout",
)


def asked(person_id: str) -> PageRequested:
    """A page to a person at the first level."""
    return PageRequested(
        incident_id="INC-42",
        person_id=person_id,
        run=1,
        round=0,
        level=1,
        answer_within_s=300,
        target="rotation.primary",
    )


STORY: tuple[Sequence[Told], ...] = (
    alert("latency", LATENCY, at="09:00"),
    incident(
        "INC-42", IncidentOpened(title="Checkout is slow", severity="sev2", service="checkout"), at="09:00", by=""
    ),
    incident("INC-42", AlertLinked(alert_key="latency", occurrence=1, title=LATENCY.title), at="09:01", by=""),
    page("pg-1", asked(ADA), at="09:01"),
    page("pg-1", PageAttempted(channel="smtp", contact=0, attempt=1), at="09:01"),
    page("pg-1", PageFailed(channel="smtp", contact=0, attempt=1, error="timed out"), at="09:01"),
    page("pg-1", PageAttempted(channel="smtp", contact=0, attempt=2, possibly_duplicate=True), at="09:02"),
    page("pg-1", PageSent(channel="smtp", contact=0, attempt=2), at="09:02"),
    page(
        "pg-2", PageWithheld(incident_id="INC-42", reason="nobody is on call", target="rotation.secondary"), at="09:02"
    ),
    incident("INC-42", IncidentAcknowledged(page_id="pg-1"), at="09:04"),
    page("pg-1", PageAnswered(answer="link"), at="09:04", by=ADA),
    incident("INC-42", IncidentDeclared(title="Checkout is slow", severity="sev2", service="checkout"), at="09:05"),
    incident("INC-42", RoleAssigned(role="commander", person_id=BOB), at="09:06"),
    incident("INC-42", ImpactStarted(scope="checkout", level=3), at="08:55"),
    incident("INC-42", IncidentSeverityChanged(severity="sev1", previous="sev2"), at="09:10", by=BOB),
    incident("INC-42", Noted(text="rolled back the release of 08:50"), at="09:20", by=GRACE),
    incident("INC-42", ImpactEnded(scope="checkout"), IncidentContained(summary="rolled back"), at="09:25", by=BOB),
    incident("INC-42", DeterminationSet(determination="confirmed"), at="09:26", by=BOB),
    alert("latency", AlertCleared(), at="09:27"),
    incident("INC-42", IncidentResolved(summary="latency is back to normal"), at="09:40", by=BOB),
    stream(
        "review.INC-42", ActionAgreed(action_id="A1", text="Alert on p95 as well", owner_id=GRACE), at="09:50", by=BOB
    ),
    stream("review.INC-42", ActionAgreed(action_id="A2", text="Slower roll-outs"), at="09:51", by=BOB),
    stream("review.INC-42", ActionDone(action_id="A1"), at="09:59", by=GRACE),
)


def the_log(*more: Sequence[Told]) -> list[Stored]:
    """The story as it lies in the log, and what follows it."""
    return log_of(*STORY, *more)
