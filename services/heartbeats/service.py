"""Heartbeats: says when a ping is overdue, and that pings come again.

Hears  heartbeat configured, returned, removed; due timers; commands.
Says   heartbeat configured, missed, returned, removed; alert fired and cleared.
Keeps  nothing: each heartbeat has one durable timer, which intake moves with every ping. So nothing is forgotten in a
       restart, and a timer that came due meanwhile fires at once.

A miss is told only when it is sure, for a false one wakes somebody:

* **Nobody could be heard.** While intake's door was not open (`services.sign_of_life`), silence says nothing. A sender
  may have pinged in vain, so after a break it has a whole interval again, from when the door opened.
* **Not looked at yet.** Everything that INTAKE holds when the timer fires must have been translated first.
* **A ping at the last moment** sets the timer anew; that is looked at again once the miss is stored.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from events import EventLog, Recorded, Write
from events.errors import LogError
from events.heartbeat import HeartbeatConfigured, HeartbeatMissed, HeartbeatRemoved, HeartbeatReturned
from events.subjects import split
from events.timer import TimerFired
from events.timers import Timers
from services.clock import Clock
from services.command import Answer, CommandRefused, Order, Refused
from services.decision import decide_and_append
from services.heartbeat import PURPOSE, heartbeat_of, last_ping_in, through_in, timer, timer_id
from services.heartbeats import alarm
from services.heartbeats.commands import parse
from services.heartbeats.configuring import carry_out
from services.sign_of_life import BREAK_MAX, SignOfLife

logger = logging.getLogger("recount")

# Repeats, and so pings, are acknowledged after up to 5 s; then what was received can have been looked at.
LOOK_AGAIN = timedelta(seconds=7)
# While the door is closed, each look leaves a timer in the log, so there are not many.
CLOSED_WAIT_MIN = timedelta(minutes=1)


class Heartbeats:
    """See the module's docstring.

    Args:
        log: the facts.
        timers: tell when a ping is overdue.
        clock: tells the time.
        door: whether intake could receive.
        received_through: asks for the newest position in INTAKE.
        dealt_with_through: asks up to which position everything was translated.
    """

    name = "heartbeats"
    hears: tuple[str, ...] = (
        "evt.heartbeat.*.configured",
        "evt.heartbeat.*.returned",
        "evt.heartbeat.*.removed",
        "evt.timer.*.fired",
    )

    def __init__(
        self,
        log: EventLog,
        timers: Timers,
        clock: Clock,
        door: SignOfLife,
        *,
        received_through: Callable[[], Awaitable[int]],
        dealt_with_through: Callable[[], Awaitable[int]],
    ) -> None:
        self._log = log
        self._timers = timers
        self._clock = clock
        self._door = door
        self._received_through = received_through
        self._dealt_with_through = dealt_with_through

    async def handle(self, order: Order, verb: str) -> Answer:
        """Do what an order asks, or say why not."""
        try:
            return await carry_out(self._log, order, parse(verb, bytes(order.command)))
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            return Refused(
                asked=f"Cannot carry out {verb!r}", because=str(error), instead=error.hint, code="unavailable"
            )

    async def on_event(self, event: Recorded) -> None:
        """See `services.listener.Listener.on_event`."""
        category, identifier = split(event.stream)
        match event.fact:
            case TimerFired(purpose=purpose) as fired if purpose == PURPOSE:
                await self._overdue(split(fired.about)[1], fired, event)
            case HeartbeatConfigured() if category == "heartbeat":
                await self._configured(identifier, event)
            case HeartbeatReturned(receipt_seq=receipt_seq):
                await self._clear(identifier, event, receipt_seq=receipt_seq)
            case HeartbeatRemoved():
                await self._timers.cancel(timer_id(identifier))
                await self._clear(identifier, event, because="removed")

    async def _configured(self, identifier: str, event: Recorded) -> None:
        heartbeat = heartbeat_of(await self._log.read(f"heartbeat.{identifier}"))
        if heartbeat.configured is not event.fact and heartbeat.configured_at != event.recorded_at:
            return  # something newer holds
        if not heartbeat.expects:
            await self._timers.cancel(timer_id(identifier))
            await self._clear(identifier, event, because="paused")
            return
        waiting = await self._timers.waiting(timer_id(identifier))
        last_ping_at = last_ping_in(waiting.token) if waiting else None
        began_at = max(event.recorded_at, last_ping_at or event.recorded_at)
        await self._timers.set(timer(identifier, began_at + heartbeat.wait, last_ping_at=last_ping_at))

    async def _overdue(self, identifier: str, fired: TimerFired, event: Recorded) -> None:
        heartbeat = heartbeat_of(await self._log.read(f"heartbeat.{identifier}"))
        if not heartbeat.expects or heartbeat.missed:
            return
        last_ping_at = last_ping_in(fired.token)
        # The timer is the evidence that its time has come, also to a clock that lags behind the server's.
        now = max(self._clock.now(), fired.due_at)
        if await self._pinged_since(identifier, last_ping_at):
            return
        again_at, through = await self._not_sure(heartbeat.wait, heartbeat.configured_at, fired, last_ping_at, now)
        if again_at is not None:
            await self._timers.set(timer(identifier, again_at, last_ping_at=last_ping_at, through=through))
            return
        await self._miss(identifier, event, due_at=fired.due_at, last_ping_at=last_ping_at)
        if await self._pinged_since(identifier, last_ping_at):
            await self._return(identifier, event, now)

    async def _not_sure(
        self,
        wait: timedelta,
        configured_at: datetime | None,
        fired: TimerFired,
        last_ping_at: datetime | None,
        now: datetime,
    ) -> tuple[datetime | None, int]:
        """When to look again, as it is not sure yet that a ping is missing; and what must be translated by then."""
        began_at = max(filter(None, (last_ping_at, configured_at)), default=fired.due_at - wait)
        if now < began_at + wait:
            return began_at + wait, 0
        door = await self._door.read()
        if door is None or now - door.at > BREAK_MAX:
            return now + max(wait, CLOSED_WAIT_MIN), 0
        if door.since > began_at and now < door.since + wait:
            return door.since + wait, 0
        through = through_in(fired.token) or await self._received_through()
        if await self._dealt_with_through() < through:
            return now + LOOK_AGAIN, through
        return None, 0

    async def _pinged_since(self, identifier: str, last_ping_at: datetime | None) -> bool:
        waiting = await self._timers.waiting(timer_id(identifier))
        newer = last_ping_in(waiting.token) if waiting else None
        return newer is not None and (last_ping_at is None or newer > last_ping_at)

    async def _miss(self, identifier: str, cause: Recorded, *, due_at: datetime, last_ping_at: datetime | None) -> None:
        stream = f"heartbeat.{identifier}"

        async def attempt() -> tuple[tuple[Write, ...], None]:
            history = await self._log.read(stream)
            heartbeat = heartbeat_of(history)
            missed = alarm.event(cause.event.id, HeartbeatMissed(last_ping_at=last_ping_at), due_at)
            if heartbeat.configured is None or not heartbeat.expects or heartbeat.missed:
                return (), None
            if alarm.has_answered((history,), missed.id):
                return (), None
            its_alarm = await self._alarm(identifier)
            writes = [Write(stream, heartbeat.version, (missed,))]
            if not its_alarm.fires:
                fact = alarm.fired(
                    its_alarm, identifier, heartbeat.configured, due_at=due_at, last_ping_at=last_ping_at
                )
                fired = alarm.event(cause.event.id, fact, due_at)
                writes.append(Write(its_alarm.stream, its_alarm.version, (fired,)))
            return tuple(writes), None

        await decide_and_append(self._log, attempt)

    async def _return(self, identifier: str, cause: Recorded, now: datetime) -> None:
        """A ping came while its absence was being told."""
        stream = f"heartbeat.{identifier}"

        async def attempt() -> tuple[tuple[Write, ...], None]:
            heartbeat = heartbeat_of(await self._log.read(stream))
            if not heartbeat.missed:
                return (), None
            returned = alarm.event(cause.event.id, HeartbeatReturned(), now)
            return (Write(stream, heartbeat.version, (returned,)),), None

        await decide_and_append(self._log, attempt)

    async def _clear(self, identifier: str, cause: Recorded, *, because: str = "", receipt_seq: int = 0) -> None:
        async def attempt() -> tuple[tuple[Write, ...], None]:
            heartbeat = heartbeat_of(await self._log.read(f"heartbeat.{identifier}"))
            its_alarm = await self._alarm(identifier)
            if heartbeat.missed or not its_alarm.fires:
                return (), None
            fact = alarm.cleared(its_alarm, ended_at=cause.happened_at, because=because, receipt_seq=receipt_seq)
            cleared = alarm.event(cause.event.id, fact, cause.happened_at)
            return (Write(its_alarm.stream, its_alarm.version, (cleared,)),), None

        await decide_and_append(self._log, attempt)

    async def _alarm(self, identifier: str) -> alarm.Alarm:
        return alarm.alarm_of(identifier, await self._log.read(alarm.stream_of_alert(identifier)))
