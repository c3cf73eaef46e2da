"""The words in which tests tell what is believed of INC-42, and through which lens."""

from datetime import UTC, datetime
from typing import Any

from events.incident import EventRetracted, MilestoneCorrected
from projections.lens import AsOf, Lens
from tests.spec import Given, moment


def happened_by(clock_time: str, *, position: int | None = None) -> Lens:
    """As happened by a time, known at a position or now."""
    return Lens(position=position, happened_by=aware(clock_time))


def aware(clock_time: str) -> datetime:
    """09:05 of that morning."""
    return moment(clock_time).replace(tzinfo=UTC)


def corrected(milestone: Any, clock_time: str, seq: int = 0, **more: Any) -> MilestoneCorrected:
    """A milestone was reached at another time than the event at a position says; 0: than nobody said."""
    return MilestoneCorrected(
        milestone=milestone,
        occurred_at=aware(clock_time),
        reason="the graph",
        replaces_event_id=f"event-{seq}" if seq else "",
        replaces_seq=seq,
        **more,
    )


def without(seq: int, event_type: str, phase: str = "") -> EventRetracted:
    """An event of INC-42 is taken back."""
    return EventRetracted(
        event_id=f"event-{seq}",
        event_seq=seq,
        event_stream="incident.INC-42",
        event_type=event_type,
        phase=phase,
        reason="a typo",
    )


def shows(story: Given, *, as_of: AsOf = None, **columns: Any) -> None:
    """The row of INC-42."""
    story.view("incidents", as_of=as_of).shows({"incident_id": "INC-42", **columns})


def reached(story: Given, milestone: str, *, as_of: AsOf = None) -> dict[str, Any] | None:
    """The last row of a milestone; None when it was not reached."""
    rows = [row for row in story.view("incident_milestones", as_of=as_of).rows if row["milestone"] == milestone]
    return rows[-1] if rows else None
