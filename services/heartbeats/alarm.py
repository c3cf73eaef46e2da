"""The alert that a missed heartbeat is: an ordinary one, which rules, silences and incidents treat like any other."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from events import Event, Recorded
from events.alert import AlertCleared, AlertFired
from events.fact import Fact
from events.heartbeat import HeartbeatConfigured
from events.ids import derived_event_id, key_of

SOURCE = "recount/heartbeats"
SENDER = "heartbeat"
"""Sender and integration of these alerts."""
ALERT_NAME = "HeartbeatMissed"


class Alarm(msgspec.Struct, frozen=True):
    """A heartbeat's alert."""

    stream: str
    version: int
    occurrence: int
    """How many times it fired."""
    fires: bool
    title: str = ""
    """What its last firing was called."""


def stream_of_alert(heartbeat_id: str) -> str:
    """Where the alert of a heartbeat lies."""
    return f"alert.{key_of(SENDER, heartbeat_id)}"


def alarm_of(heartbeat_id: str, history: Iterable[Recorded]) -> Alarm:
    """Fold the facts of a heartbeat's alert."""
    version, occurrence, fires, title = 0, 0, False, ""
    for recorded in history:
        version = recorded.seq
        if isinstance(recorded.fact, AlertFired):
            occurrence, fires, title = recorded.fact.occurrence, True, recorded.fact.title
        elif isinstance(recorded.fact, AlertCleared):
            fires = False
    return Alarm(stream_of_alert(heartbeat_id), version, occurrence, fires, title)


def fired(
    alarm: Alarm, heartbeat_id: str, configured: HeartbeatConfigured, *, due_at: datetime, last_ping_at: datetime | None
) -> Fact:
    """That a ping is overdue."""
    last = f"The last ping came at {last_ping_at:%Y-%m-%d %H:%M:%S} UTC" if last_ping_at else "No ping ever came"
    return AlertFired(
        integration=SENDER,
        sender=SENDER,
        fingerprint=heartbeat_id,
        occurrence=alarm.occurrence + 1,
        title=f"heartbeat {configured.name} missed",
        severity=configured.severity,
        service=configured.service,
        labels={"alertname": ALERT_NAME, "heartbeat": heartbeat_id},
        annotations={"description": f"{last}; one is expected every {configured.every_s} s."},
        started_at=due_at,
    )


def cleared(alarm: Alarm, *, ended_at: datetime, because: str = "", receipt_seq: int = 0) -> Fact:
    """That pings came again, or are expected no more."""
    return AlertCleared(title=alarm.title, ended_at=ended_at, because=because, receipt_seq=receipt_seq)


def event(cause_id: str, fact: Fact, happened_at: datetime, *parts: str) -> Event:
    """A fact in answer to another event: the same answer always has the same id."""
    return Event(
        id=derived_event_id(cause_id, type(fact).__name__, *parts),
        fact=fact,
        happened_at=happened_at,
        source=SOURCE,
        actor="service:heartbeats",
        causation_id=cause_id,
    )


def has_answered(histories: Sequence[Iterable[Recorded]], event_id: str) -> bool:
    """Whether an event is there already."""
    return any(recorded.event.id == event_id for history in histories for recorded in history)
