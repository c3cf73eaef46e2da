"""A heartbeat as it stands, folded from its facts, and its timer. Intake moves the timer, heartbeats hear it.

The last ping is not in the log, because a ping is no fact: the timer that it sets carries its time.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from events import Recorded
from events.heartbeat import (
    HeartbeatConfigured,
    HeartbeatMissed,
    HeartbeatRemoved,
    HeartbeatReturned,
    HeartbeatUnexpected,
)
from events.ids import is_id, key_of
from events.timers import Timer

PURPOSE = "heartbeat"
"""Of the timers, for `events.timer.TimerFired.purpose`."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """A heartbeat; the defaults are one that nobody ever spoke of."""

    version: int = 0
    """Log position of its last fact."""
    configured: HeartbeatConfigured | None = None
    """None: not, or no longer."""
    configured_at: datetime | None = None
    """When the log took that."""
    missed: bool = False
    last_ping_at: datetime | None = None
    """The last ping before it was missed."""
    unexpected: bool = False
    """Pings come, and nobody expects them."""

    @property
    def expects(self) -> bool:
        """Whether a ping is due some time."""
        return self.configured is not None and not self.configured.paused

    @property
    def wait(self) -> timedelta:
        """Longest time between two pings, the grace included."""
        assert self.configured is not None, "only a configured one waits"
        return timedelta(seconds=self.configured.every_s + self.configured.grace_s)


def heartbeat_of(history: Iterable[Recorded]) -> Heartbeat:
    """Fold the facts of one heartbeat."""
    heartbeat = Heartbeat()
    for recorded in history:
        heartbeat = msgspec.structs.replace(_evolve(heartbeat, recorded), version=recorded.seq)
    return heartbeat


def _evolve(heartbeat: Heartbeat, recorded: Recorded) -> Heartbeat:
    match recorded.fact:
        case HeartbeatConfigured() as fact:
            return Heartbeat(
                configured=fact,
                configured_at=recorded.recorded_at,
                missed=heartbeat.missed and not fact.paused,
                last_ping_at=heartbeat.last_ping_at,
            )
        case HeartbeatMissed() as fact:
            return msgspec.structs.replace(heartbeat, missed=True, last_ping_at=fact.last_ping_at)
        case HeartbeatReturned():
            return msgspec.structs.replace(heartbeat, missed=False)
        case HeartbeatRemoved():
            return Heartbeat()
        case HeartbeatUnexpected():
            return msgspec.structs.replace(heartbeat, unexpected=True)
        case _:
            raise AssertionError(f"{type(recorded.fact).__name__} is no fact about a heartbeat")


def heartbeat_id(name: str) -> str:
    """The id of the heartbeat that a name means: the name itself where it may be an id."""
    return name if is_id(name) else key_of(name)


def timer_id(heartbeat_id: str) -> str:
    """The id of a heartbeat's timer."""
    return f"heartbeat-{key_of(heartbeat_id)}"


def timer(heartbeat_id: str, due_at: datetime, *, last_ping_at: datetime | None, through: int = 0) -> Timer:
    """The timer that fires when a ping is overdue.

    Args:
        heartbeat_id: whose.
        due_at: when.
        last_ping_at: the ping that set it; None when none ever came.
        through: position in INTAKE up to which pings must have been looked at before it counts as missed.
    """
    pinged = last_ping_at.isoformat() if last_ping_at else "never"
    return Timer(
        id=timer_id(heartbeat_id),
        due_at=due_at,
        purpose=PURPOSE,
        about=f"heartbeat.{heartbeat_id}",
        token=f"{pinged} {through}",
    )


def last_ping_in(token: str) -> datetime | None:
    """The ping that set a timer; None when none ever came."""
    with suppress(ValueError):
        return datetime.fromisoformat(token.partition(" ")[0]).astimezone(UTC)
    return None


def through_in(token: str) -> int:
    """The position that a timer's token names; 0 for none."""
    number = token.partition(" ")[2]
    return int(number) if number.isdecimal() else 0
