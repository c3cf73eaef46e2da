"""Facts about heartbeats: a sender that must say something from time to time, and that silence is the alert.

Stream ``heartbeat.<heartbeat_id>``. A ping is no fact: it lies in INTAKE and moves the timer. That pings stopped, and
that they came again, are facts, and the alert that they mean is an ordinary one.
"""

from datetime import datetime
from typing import ClassVar

from events.alert import AlertSeverity
from events.fact import Fact


class HeartbeatConfigured(Fact, frozen=True, tag="heartbeat.configured"):
    """A ping is expected at least so often."""

    headline: ClassVar[str] = "heartbeat {name} expected every {every_s} s"
    name: str
    every_s: int
    """Longest time between two pings, in seconds."""
    grace_s: int = 0
    """How much later one may come before somebody is alerted."""
    severity: AlertSeverity = "error"
    service: str = ""
    paused: bool = False
    """Nothing is expected until it is configured again."""


class HeartbeatMissed(Fact, frozen=True, tag="heartbeat.missed"):
    """No ping came in time."""

    headline: ClassVar[str] = "heartbeat missed"
    last_ping_at: datetime | None = None
    """When the last one came; None when none ever did."""


class HeartbeatUnexpected(Fact, frozen=True, tag="heartbeat.unexpected"):
    """A ping came that nobody expects: the heartbeat is not configured, or no longer. Said once, and again only after
    it was configured and removed."""

    headline: ClassVar[str] = "a ping came that nobody expects"
    receipt_seq: int = 0
    """Position in INTAKE of the ping as received."""


class HeartbeatReturned(Fact, frozen=True, tag="heartbeat.returned"):
    """Pings come again."""

    headline: ClassVar[str] = "heartbeat returned"
    receipt_seq: int = 0
    """Position in INTAKE of the ping as received."""


class HeartbeatRemoved(Fact, frozen=True, tag="heartbeat.removed"):
    """Nothing is expected any more."""

    headline: ClassVar[str] = "heartbeat removed: {reason}"
    reason: str = ""


HeartbeatFact = HeartbeatConfigured | HeartbeatMissed | HeartbeatReturned | HeartbeatUnexpected | HeartbeatRemoved
