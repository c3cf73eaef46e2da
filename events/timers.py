"""Durable timers: a service is told when a time has come, whatever restarted meanwhile.

A timer is a JetStream schedule (ADR-51) on ``tmr.set.<id>`` whose message the server moves to ``tmr.due.<id>.fired``
when due; EVENTS sources it as ``evt.timer.<id>.fired``, so a timer that fired is itself in the log. Its payload is the
finished event. Sourcing bypasses version checks, so a listener must expect the same firing twice.
"""

from datetime import UTC, datetime
from typing import Protocol

import msgspec
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from events.errors import LogUnavailable
from events.ids import derived_event_id
from events.memory_log import MemoryLog
from events.nats_direct_get import DirectGet
from events.nats_streams import TIMER_DUE_ROOT, TIMER_FIRED_AGE_S, TIMER_SET_ROOT, TIMERS
from events.recorded import CONTENT_TYPE, Event, Stored, decode, encode
from events.subjects import ROOT, stream_of
from events.timer import TimerFired

SET_TIMEOUT_S = 5.0


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be told."""

    id: str
    """One timer an id; setting it again replaces the earlier time. Matches the rule for ids in subjects."""
    due_at: datetime
    purpose: str
    about: str
    token: str = ""
    correlation_id: str = ""

    def event(self) -> Event:
        """The event that the log will hold once the timer has fired."""
        due_at = self.due_at.astimezone(UTC)
        return Event(
            id=derived_event_id(self.id, due_at.isoformat()),
            fact=TimerFired(purpose=self.purpose, about=self.about, due_at=due_at, token=self.token),
            happened_at=due_at,
            source="recount/timers",
            correlation_id=self.correlation_id,
        )


class Timers(Protocol):
    """Sets and cancels durable timers."""

    async def set(self, timer: Timer) -> None:
        """Have the timer fire at its time, or at once when that has passed. Replaces an earlier one of the same id.

        Raises:
            LogUnavailable: no answer; setting it again is safe.
            InvalidEvent: the id may not stand in a subject.
        """
        ...

    async def cancel(self, timer_id: str) -> None:
        """Forget a timer that has not fired. Cancelling one that has, or never was, does nothing."""
        ...

    async def waiting(self, timer_id: str) -> TimerFired | None:
        """What a timer that has not fired will say; None when there is none.

        Raises:
            LogUnavailable: no answer.
        """
        ...


class NoTimers:
    """`Timers` of a service that is asked nothing about time: none ever fires."""

    async def set(self, timer: Timer) -> None:
        """Checks it, and forgets it."""
        stream_of("timer", timer.id)

    async def cancel(self, timer_id: str) -> None:
        """See `Timers.cancel`."""

    async def waiting(self, timer_id: str) -> TimerFired | None:
        """None: there is none."""
        return None


class NatsTimers:
    """`Timers` on the stream TIMERS."""

    def __init__(self, client: Client) -> None:
        self._js = client.jetstream(timeout=SET_TIMEOUT_S)
        self._direct = DirectGet(client, TIMERS)

    async def set(self, timer: Timer) -> None:
        """See `Timers.set`."""
        _subject, body = encode(stream_of("timer", timer.id), timer.event())
        try:
            await self._js.publish(
                f"{TIMER_SET_ROOT}.{timer.id}",
                body,
                timeout=SET_TIMEOUT_S,
                headers={
                    "Nats-Schedule": f"@at {timer.due_at.astimezone(UTC).isoformat()}",
                    "Nats-Schedule-Target": f"{TIMER_DUE_ROOT}.{timer.id}.fired",
                    # EVENTS has it by then; without this, what has fired would lie in TIMERS for ever.
                    "Nats-Schedule-TTL": f"{TIMER_FIRED_AGE_S}s",
                    "Content-Type": CONTENT_TYPE,
                },
            )
        except (nats.errors.Error, nats.js.errors.Error) as error:
            raise LogUnavailable(f"timer {timer.id} could not be set: {error}") from error

    async def cancel(self, timer_id: str) -> None:
        """See `Timers.cancel`."""
        stream_of("timer", timer_id)  # an id such as ``*`` would purge the timers of others
        try:
            await self._js.purge_stream(TIMERS, subject=f"{TIMER_SET_ROOT}.{timer_id}")
        except (nats.errors.Error, nats.js.errors.Error) as error:
            raise LogUnavailable(f"timer {timer_id} could not be cancelled: {error}") from error

    async def waiting(self, timer_id: str) -> TimerFired | None:
        """See `Timers.waiting`."""
        stream = stream_of("timer", timer_id)
        stored = await self._direct.last(f"{TIMER_SET_ROOT}.{timer_id}")
        if stored is None or not stored.body:
            return None
        # It lies in TIMERS as what EVENTS will hold.
        fact = decode(Stored(stored.seq, f"{ROOT}.{stream}.fired", stored.recorded_at, stored.body)).fact
        return fact if isinstance(fact, TimerFired) else None


class MemoryTimers:
    """`Timers` for tests and the simulation: whoever owns the clock calls `fire_due`."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._waiting: dict[str, Timer] = {}

    async def set(self, timer: Timer) -> None:
        """See `Timers.set`."""
        stream_of("timer", timer.id)
        self._waiting[timer.id] = timer

    async def cancel(self, timer_id: str) -> None:
        """See `Timers.cancel`."""
        stream_of("timer", timer_id)
        self._waiting.pop(timer_id, None)

    async def waiting(self, timer_id: str) -> TimerFired | None:
        """See `Timers.waiting`."""
        timer = self._waiting.get(timer_id)
        fact = timer.event().fact if timer else None
        return fact if isinstance(fact, TimerFired) else None

    def next_due(self) -> datetime | None:
        """When the earliest waiting timer is due."""
        return min((timer.due_at for timer in self._waiting.values()), default=None)

    def fire_due(self, now: datetime) -> int:
        """Put every timer that is due into the log, earliest first. Returns how many."""
        due = sorted(
            (timer for timer in self._waiting.values() if timer.due_at <= now),
            key=lambda timer: (timer.due_at, timer.id),
        )
        for timer in due:
            del self._waiting[timer.id]
            event = timer.event()
            subject, body = encode(stream_of("timer", timer.id), event)
            self._log.store_raw(subject, body, event.id)
        return len(due)
