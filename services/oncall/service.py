"""On-call: wakes the right person.

Hears  what begins or ends an incident's call; due timers; rotations configured; persons erased; commands.
Says   escalation started, level reached, stopped, exhausted; page requested, withheld, answered; shift started, ended;
       person, rotation and policy facts.
Keeps  nothing: what it needs is folded from the streams concerned when it is needed. (A rotation is folded once and on
       from there, because its shifts add up over the years.) A policy is read when a run starts.

What is guaranteed
* **One** ``level_reached`` for each run, round and level, and one page for each person and level: they are one append,
  with a version check on the escalation.
* **Nobody is paged after an acknowledgement.** A page request carries a version check on its incident: once an
  acknowledgement (or a resolution, a dismissal, a merge) is in the log, no request can follow it.
* **No escalation is forgotten.** The timer of the next level is set before the level is recorded. A timer whose level
  never came about is harmless: when it fires, the escalation is read, and nothing is due.
"""

import logging
from datetime import datetime

from events import EventLog, Recorded
from events.errors import LogError, RecountError
from events.fact import name_of
from events.incident import Severity
from events.oncall import RotationConfigured
from events.person import PersonErased
from events.subjects import split
from events.timer import TimerFired
from events.timers import Timers
from services.attention import DECISIVE, is_decisive
from services.clock import Clock
from services.command import Answer, CommandRefused, Done, Order, Refused
from services.directory import Directory
from services.keyring import Keyring
from services.notifier.commands import ContactRules
from services.oncall.commands import ConfigurePolicy, ConfigureRotation, OncallCommand, parse
from services.oncall.configuration import Configuration
from services.oncall.duty import SHIFT_PURPOSE, Duty
from services.oncall.paging import ESCALATION_PURPOSE, Paging
from services.oncall.people import People

logger = logging.getLogger("recount")

# Less severe incidents wait for working hours; they are in the list and open no pager.
PAGING_THRESHOLD: Severity = "sev3"


class OnCall:
    """See the module's docstring.

    Args:
        log: the facts.
        timers: wake it up for the next level and the next hand-over.
        clock: tells the time.
        keyring: holds the keys of people.
        contacts: says which contacts can be reached at all.
        threshold: incidents at least this severe are paged for.
    """

    name = "oncall"
    hears: tuple[str, ...] = (
        # The alerts that join an incident are many and call nobody.
        *(f"evt.incident.*.{name_of(fact)}" for fact in DECISIVE),
        "evt.timer.>",
        "evt.rotation.*.configured",
        "evt.person.*.erased",
    )

    def __init__(
        self,
        log: EventLog,
        timers: Timers,
        clock: Clock,
        keyring: Keyring,
        *,
        contacts: ContactRules | None = None,
        threshold: Severity = PAGING_THRESHOLD,
    ) -> None:
        self._clock = clock
        self._duty = Duty(log, timers)
        self._paging = Paging(log, timers, Directory(log, keyring), self._duty, threshold)
        self._people = People(log, keyring, Directory(log, keyring), contacts or ContactRules())
        self._configuration = Configuration(log, Directory(log, keyring))

    async def start(self) -> None:
        """Catch up with the hand-overs that took effect while no copy of this service ran. Escalations need no such
        care: their timers are durable, and what happened meanwhile is delivered."""
        await self._duty.record_all(self._clock.now())

    async def on_event(self, event: Recorded) -> None:
        """See `services.listener.Listener.on_event`."""
        now = self._clock.now()
        category, identifier = split(event.stream)
        match event.fact:
            case TimerFired() as timer:
                # The timer is the evidence that its time has come, also to a clock that lags behind the server's.
                await self._on_timer(timer, event, max(now, timer.due_at))
            case RotationConfigured():
                await self._duty.record(identifier, now)
            case PersonErased():
                await self._people.finish_erasing(identifier)
            case _ if category == "incident" and is_decisive(event):
                await self._paging.look_at(identifier, cause=event, now=now)
                await self._paging.answered(identifier, event)

    async def handle(self, order: Order, verb: str) -> Answer:
        """Carry out a command. Never raises what a caller could be told: the answer says what went wrong."""
        try:
            return await self._carry_out(order, parse(verb, bytes(order.command)))
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            logger.warning("oncall: %s of %s: %s", verb, order.target or "a new person", error)
            return Refused(
                asked=f"Cannot carry out {verb!r}",
                because=str(error),
                instead="ask again: what is done already is not done twice",
                code="unavailable",
            )
        except RecountError as error:
            return Refused(asked=f"Cannot carry out {verb!r}", because=str(error), instead=error.hint, code="invalid")

    async def _carry_out(self, order: Order, command: OncallCommand) -> Done:
        if isinstance(command, ConfigureRotation | ConfigurePolicy):
            return await self._configuration.handle(order, command)
        return await self._people.handle(order, command)

    async def _on_timer(self, timer: TimerFired, event: Recorded, now: datetime) -> None:
        identifier = split(timer.about)[1]
        if timer.purpose == ESCALATION_PURPOSE:
            await self._paging.look_at(identifier, cause=event, now=now)
            await self._paging.keep_awake(identifier, now)
        elif timer.purpose == SHIFT_PURPOSE:
            await self._duty.record(identifier, now)
