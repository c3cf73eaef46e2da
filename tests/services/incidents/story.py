"""The words in which the tests of incidents are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

from events import Event, Fact
from events.incident import (
    ImpactStarted,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    RoleAssigned,
    RoleHandoffOffered,
)
from services.incidents.circumstances import Circumstances
from services.incidents.decider import decide
from services.incidents.state import Incident, fold
from tests.decider_spec import Given, Outcome, Spec

ADA, BOB, GRACE = "per-ada", "per-bob", "per-grace"
INC = "INC-42"
TWO_O_CLOCK = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)

SPEC: Spec[Incident] = Spec(fold, decide)


def after(*, minutes: float = 0, days: float = 0) -> datetime:
    """A time, counted from two o'clock."""
    return TWO_O_CLOCK + timedelta(minutes=minutes, days=days)


def said(fact: Fact, actor: str = ADA, *, minutes: float = 0) -> Event:
    """A fact with who said it and when."""
    return Event(
        id=f"{type(fact).__name__}-{minutes}", fact=fact, happened_at=after(minutes=minutes), source="test", actor=actor
    )


class IncidentGiven:
    """What had happened to INC-42."""

    def __init__(self, *events: Event) -> None:
        self._given: Given[Incident] = SPEC.given(*events)
        self.incident = self._given.state

    def when(self, command: Any, actor: str = ADA, *, at: datetime | None = None, **more: Any) -> Outcome:
        """What is asked, by whom, and when it happened; it is then ten past two, or that time when that is later."""
        happened_at = at or after(minutes=10)
        about = Circumstances(
            incident_id=INC,
            actor=actor,
            happened_at=happened_at,
            now=more.pop("now", max(happened_at, after(minutes=10))),
            **more,
        )
        return self._given.when(command, about)


given = IncidentGiven

opened = said(IncidentOpened(title="checkout is slow", severity="sev3", service="checkout"))
declared = said(IncidentDeclared(title="checkout is down", severity="sev1", service="checkout"))
declared_security = said(IncidentDeclared(title="odd logins", severity="sev2", profile="security"))
acknowledged_by_bob = said(IncidentAcknowledged(), BOB, minutes=2)
impact_on_checkout = said(ImpactStarted(scope="checkout", level=3), minutes=1)
contained = said(IncidentContained(summary="rolled back"), BOB, minutes=5)
eradicated = said(IncidentEradicated(summary="fix is in"), BOB, minutes=6)
resolved_by_bob = said(IncidentResolved(summary="healthy again"), BOB, minutes=7)
closed = said(IncidentClosed(waiver="small"), GRACE, minutes=8)
dismissed_by_grace = said(IncidentDismissed(reason="false_positive"), GRACE, minutes=8)
merged_by_grace = said(IncidentMerged(into_incident_id="INC-7"), GRACE, minutes=8)
reopened = said(IncidentReopened(kind="relapse", reason="down again", episode=2), BOB, minutes=9)
ada_commands = said(RoleAssigned(role="commander", person_id=ADA), minutes=2)
offered_to_bob = said(RoleHandoffOffered(role="commander", person_id=BOB), ADA, minutes=3)
