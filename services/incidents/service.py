"""Incidents: carries out what people ask, and gives each firing alert its incident.

Hears  alerts that fire, change and clear; silences that change and end; inhibiting alerts that clear; rules that are
       published; due timers; orders on cmd.incident.<verb>.
Says   incident facts; group.assigned; alert.passed_over, alert.held; silence.alert_held; inhibition facts;
       review.action_agreed, review.action_done; order.carried_out.
Keeps  nothing that it could not load again; recently used incidents are cached by version.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from zlib import crc32

from msgspec.structs import replace

from events import EventLog, Recorded, Write
from events.errors import LogError, RecountError
from events.silence import SilenceChanged
from events.subjects import split
from events.timer import TimerFired
from events.timers import NoTimers, Timers
from services.clock import Clock
from services.command import Answer, CommandRefused, Done, Order, Refused
from services.decision import decide_and_append
from services.incidents.calming import Calming
from services.incidents.commands import parse
from services.incidents.expiring import expire
from services.incidents.grouping import Rules
from services.incidents.histories import Histories
from services.incidents.holding import silence_timer
from services.incidents.looking import HEARS, looks
from services.incidents.orders import Orders, check_order
from services.incidents.placing import Placing
from services.incidents.standing import Standing
from services.intake import commands as intake
from services.rules.ruleset import from_settings

logger = logging.getLogger("recount")

# Orders about one incident take turns inside a process, which would otherwise lose appends to itself. This many
# incidents are worked on at once; two that share a turn only wait for each other. Alerts are decided in one turn.
TURNS = 64
# Alerts that are decided on what was loaded once. Each costs a read, and somebody else may be faster meanwhile.
LOOKS_AT_ONCE = 200


class Incidents:
    """The incidents service, free of NATS."""

    name = "incidents"
    hears: tuple[str, ...] = HEARS

    def __init__(self, log: EventLog, clock: Clock, rules: Rules | None = None, timers: Timers | None = None) -> None:
        histories = Histories(log)
        rules = rules or Rules()
        self._log = log
        self._clock = clock
        self._timers = timers or NoTimers()
        self._orders = Orders(log, histories, clock)
        standing = Standing(log, from_settings(rules.opens_at, rules.severity))
        self._placing = Placing(log, histories, clock, self._timers, standing)
        self._calming = Calming(log, histories, self._timers)
        self._placing_turn = asyncio.Lock()
        self._turns = tuple(asyncio.Lock() for _ in range(TURNS))

    async def on_event(self, event: Recorded) -> None:
        """Answer one fact. See `services.listener.Listener`."""
        await self.on_events((event,))

    async def on_events(self, events: Sequence[Recorded]) -> None:
        """Place firing alerts, as many as an append takes at once, and look again at what was held back. See
        `services.listener.BatchListener`."""
        waiting = [look for event in events for look in await looks(self._log, event)]
        async with self._placing_turn:
            while waiting:
                draft = partial(self._placing.draft, waiting[:LOOKS_AT_ONCE])
                _seq, answered = await decide_and_append(self._log, draft)
                waiting = waiting[answered:]
        for event in events:
            await self._on_time(event)

    async def _on_time(self, event: Recorded) -> None:
        match event.fact:
            case TimerFired(purpose="incident_calm", due_at=due_at) as timer:
                # The timer is the evidence that its time has come, also to a clock that lags behind the server's.
                now = max(self._clock.now(), due_at)
                await decide_and_append(self._log, partial(self._calming.look, timer, now))
            case TimerFired(purpose=intake.EXPIRY_PURPOSE, about=about, due_at=due_at):
                await decide_and_append(self._log, partial(expire, self._log, about, max(self._clock.now(), due_at)))
            case SilenceChanged(ends_at=ends_at):
                await self._timers.set(silence_timer(split(event.stream)[1], ends_at))

    async def handle(self, order: Order, verb: str) -> Answer:
        """Carry out an order. Never raises what a caller could be told: the answer says what went wrong."""
        try:
            return await self._carry_out(order, verb)
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            logger.warning("incidents: %s of %s: %s", verb, order.target or "a new incident", error)
            return Refused(
                asked=f"Cannot carry out {verb!r}",
                because=str(error),
                instead="ask again with the same id: it is done once",
                code="unavailable",
            )
        except RecountError as error:
            return Refused(asked=f"Cannot carry out {verb!r}", because=str(error), instead=error.hint, code="invalid")

    async def _carry_out(self, order: Order, verb: str) -> Done:
        check_order(order)
        command = parse(verb, bytes(order.command))

        async def attempt() -> tuple[tuple[Write, ...], Done]:
            return await self._orders.carry_out(order, command)

        async with self._turn(order.target):
            seq, done = await decide_and_append(self._log, attempt)
        return replace(done, seq=seq or done.seq)

    def _turn(self, key: str) -> asyncio.Lock:
        # Not hash(): it differs from run to run, and a simulation must be able to repeat one.
        return self._turns[crc32(key.encode()) % TURNS]
