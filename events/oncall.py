"""Facts about on-call configuration and shifts: streams ``rotation.<id>`` and ``policy.<id>``.

What SQL must know of a calendar calculation is recorded when it takes effect: `ShiftStarted` and `ShiftEnded`.
"""

from datetime import datetime
from typing import ClassVar

from events.escalation import Level
from events.fact import Fact


class RotationConfigured(Fact, frozen=True, tag="rotation.configured"):
    """A rotation, as a whole: members take turns, handing over at a wall-clock time in a time zone."""

    headline: ClassVar[str] = "rotation {name} configured"
    name: str
    zone: str
    """IANA time zone of the hand-over, such as ``Europe/Warsaw``."""
    starts_at: datetime
    """When the first member's first shift begins."""
    shift_days: int
    """Length of a shift in calendar days of the zone: hand-over keeps its wall-clock time across DST."""
    members: tuple[str, ...]
    """Person ids, in turn."""


class ShiftStarted(Fact, frozen=True, tag="rotation.shift_started"):
    """A person is on call from now on."""

    headline: ClassVar[str] = "{person_id} is on call"
    person_id: str
    ends_at: datetime


class ShiftEnded(Fact, frozen=True, tag="rotation.shift_ended"):
    """A person is no longer on call."""

    headline: ClassVar[str] = "{person_id} is off call"
    person_id: str


class PolicyConfigured(Fact, frozen=True, tag="policy.configured"):
    """An escalation policy, as a whole."""

    headline: ClassVar[str] = "escalation policy {name} configured"
    name: str
    levels: tuple[Level, ...]
    repeat: int = 0


RotationFact = RotationConfigured | ShiftStarted | ShiftEnded
PolicyFact = PolicyConfigured
