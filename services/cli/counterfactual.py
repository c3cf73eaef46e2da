"""History run again: the services that decide about alerts and pages, on a log in memory and a clock of its own.

What came from outside is taken from the log as it was: alerts, silences, who is on call, what people did. What Recount
decided is left out after the beginning, and decided anew. It is the same code that decides live, so whatever differs
between two runs comes from what was given them, and the same log always gives the same answer.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from events import Event, Fact, Recorded, Stored, decode, encode
from events.alert import AlertHeld, AlertPassedOver
from events.errors import Unreadable
from events.fact import category_of, tag_of
from events.incident import Severity
from events.memory_log import MemoryLog
from events.oncall import PolicyConfigured, RotationConfigured
from events.person import Contact, PersonAdded, PersonChanged, PersonDetails, PersonErased
from events.rules import RulesPublished
from events.sealing import seal
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from events.subjects import split, stream_of
from events.timer import TimerFired
from events.timers import MemoryTimers, Timer
from services.clock import FakeClock
from services.incidents.grouping import Rules
from services.incidents.holding import silence_timer
from services.incidents.looking import HOLD_PURPOSE
from services.incidents.service import Incidents
from services.keyring import Keyring
from services.oncall.paging import ESCALATION_PURPOSE
from services.oncall.service import OnCall

CATEGORIES = frozenset(
    {
        "alert", "incident", "group", "silence", "inhibition", "rules", "escalation", "page", "rotation", "policy",
        "person", "review", "order",
    }
)  # fmt: skip
"""What the services that run again read of the log before the beginning."""
# Facts of these kinds came from outside; every other fact after the beginning is decided anew.
_FROM_OUTSIDE = (
    SilenceCreated, SilenceChanged, SilenceEnded, RotationConfigured, PolicyConfigured, PersonAdded, PersonChanged,
    PersonErased,
)  # fmt: skip
# A round answers what the one before said. An escalation that nobody answers takes a few rounds at once; more would be
# a circle.
ROUNDS_MAX = 10_000


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What decides beside the log."""

    built_in: Rules
    """The rules of the settings, for while none are published."""
    threshold: Severity
    """Incidents at least this severe are paged for."""
    rules: str | None = None
    """Rules that are published at the beginning and stay; None: those of the log, as they were."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    events: tuple[Recorded, ...]
    """Everything after the beginning, in order."""
    carried: int
    """Acts of people that were carried over."""
    dropped: tuple[str, ...]
    """Acts of people that had nothing to act on, or were refused, in words."""


class Run:
    """One run.

    Args:
        setting: what decides.
        began_at: the beginning.
        folder: a folder of its own, for the keys of stand-ins.
    """

    def __init__(self, setting: Setting, began_at: datetime, folder: Path) -> None:
        self._setting = setting
        self._began_at = began_at
        self.clock = FakeClock(began_at)
        self.log = MemoryLog(self.clock.now)
        self._timers = MemoryTimers(self.log)
        self._keyring = Keyring(folder / "people")
        self.incidents = Incidents(self.log, self.clock, setting.built_in, self._timers)
        self._oncall = OnCall(self.log, self._timers, self.clock, self._keyring, threshold=setting.threshold)
        self._heard = 0
        self.news: list[Recorded] = []
        """Everything that was stored after the beginning, in order."""

    async def begin(self, before: Sequence[Stored]) -> None:
        """Take in the log before the beginning, and set the timers that run over it."""
        position = 0
        for stored in before:
            while position < stored.seq - 1:  # facts name positions, so every event keeps its own
                position = self.log.store_raw("evt.gap.none.left_out", b"", f"gap-{position + 1}")
            self.clock.moment = stored.recorded_at
            position = self._take(stored)
        self.clock.moment = self._began_at
        self._heard = await self.log.last_position()
        await self._set_timers()
        if self._setting.rules is not None:
            rules = RulesPublished(text=self._setting.rules, text_sha256="", note="to see what they would have done")
            await self._store("rules.default", rules, "edited-rules")
        await self.settle()

    async def happen(self, stored: Stored) -> None:
        """Let something happen that came from outside, at its time."""
        await self.pass_until(stored.recorded_at)
        self._take(stored)
        await self.settle()

    async def pass_until(self, moment: datetime) -> None:
        """Let time pass: every timer that is due by then fires at its time."""
        while (due := self._timers.next_due()) is not None and due <= moment:
            self.clock.moment = max(self.clock.moment, due)
            self._timers.fire_due(self.clock.now())
            await self.settle()
        self.clock.moment = max(self.clock.moment, moment)

    async def settle(self) -> None:
        """Have the services answer everything until nobody has anything left to say."""
        for _ in range(ROUNDS_MAX):
            through = await self.log.last_position()
            if through == self._heard:
                return
            fresh = [
                decode(stored) async for batch in self.log.bulk(after=self._heard, through=through) for stored in batch
            ]
            self._heard = through
            self.news += fresh
            await self.incidents.on_events([event for event in fresh if _hears(Incidents.hears, event)])
            for event in fresh:
                if _hears(OnCall.hears, event):
                    await self._oncall.on_event(event)
        raise AssertionError(f"the services do not come to rest in {ROUNDS_MAX} rounds")

    def _take(self, stored: Stored) -> int:
        """Store an event as it was; what is sealed about people is replaced, because its keys may not be here."""
        if stored.subject.split(".")[1] == "person":
            recorded = decode(stored)
            if isinstance(recorded.fact, PersonAdded | PersonChanged):
                fact = msgspec.structs.replace(recorded.fact, sealed=self._stand_in(split(recorded.stream)[1]))
                _subject, body = encode(recorded.stream, msgspec.structs.replace(recorded.event, fact=fact))
                return self.log.store_raw(stored.subject, body, recorded.event.id)
        return self.log.store_raw(stored.subject, stored.body, _id_of(stored))

    def _stand_in(self, person_id: str) -> str:
        details = PersonDetails(handle=person_id, name=person_id, contacts=(Contact(channel="console"),))
        return seal(details, self._keyring.key(person_id) or self._keyring.create(person_id), person_id)

    async def _set_timers(self) -> None:
        """Timers lie in no log: those that what was there had set are set again."""
        await self._oncall.start()
        for stream in dict.fromkeys(past.stream for past in await self.log.read_named("escalation", "started")):
            about = TimerFired(purpose=ESCALATION_PURPOSE, about=stream, due_at=self._began_at)
            event = Event(id=f"again-{stream}", fact=about, happened_at=self._began_at, source="recount/timers")
            await self._oncall.on_event(
                Recorded(seq=self._heard, stream="timer.again", recorded_at=self._began_at, event=event)
            )
        for past in await self.log.read_named("silence", "created"):
            last = (await self.log.read(past.stream))[-1].fact
            ends_at = getattr(last, "ends_at", past.fact.ends_at if isinstance(past.fact, SilenceCreated) else None)
            if ends_at is not None and ends_at > self._began_at:
                await self._timers.set(silence_timer(split(past.stream)[1], ends_at))
        for past in await self.log.read_named("alert", "held"):
            if isinstance(past.fact, AlertHeld) and past.fact.until_at and past.fact.because != "silenced":
                key = split(past.stream)[1]
                due_at = max(past.fact.until_at, self._began_at)
                await self._timers.set(
                    Timer(id=f"hold-{key}", due_at=due_at, purpose=HOLD_PURPOSE, about=stream_of("alert", key))
                )

    async def _store(self, stream: str, fact: Fact, event_id: str) -> None:
        event = Event(id=event_id, fact=fact, happened_at=self.clock.now(), source="recount/replay")
        subject, body = encode(stream, event)
        self.log.store_raw(subject, body, event_id)


def from_outside(recorded: Recorded, *, keeps_rules: bool) -> bool:
    """Whether an event is given to a run as it was, rather than decided anew."""
    fact = recorded.fact
    if isinstance(fact, RulesPublished):
        return keeps_rules
    if category_of(type(fact)) == "alert":
        return not isinstance(fact, AlertHeld | AlertPassedOver)
    return isinstance(fact, _FROM_OUTSIDE)


def readable(stored: Stored) -> Recorded | None:
    """An event, when this version can read it."""
    try:
        return decode(stored)
    except Unreadable:
        return None


@contextmanager
def new_run(setting: Setting, began_at: datetime) -> Iterator[Run]:
    """A run, for as long as the block."""
    with tempfile.TemporaryDirectory(prefix="recount-replay-") as folder:
        yield Run(setting, began_at, Path(folder))


def _hears(filters: Sequence[str], event: Recorded) -> bool:
    category, name = tag_of(type(event.fact)).split(".", 1)
    return any(_fits(each.split("."), category, name) for each in filters)


def _fits(parts: Sequence[str], category: str, name: str) -> bool:
    """Whether a subject filter such as ``evt.alert.*.fired`` or ``evt.timer.>`` lets an event through."""
    return parts[1] == category and (parts[2] == ">" or parts[3] in (name, ">"))


class _Identified(msgspec.Struct):
    id: str


_ID = msgspec.json.Decoder(_Identified)


def _id_of(stored: Stored) -> str:
    return _ID.decode(stored.body).id
