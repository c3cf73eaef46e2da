"""The incidents service on a memory log, with a clock that a test moves, and all that it hears delivered."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from events import Event, Fact, Recorded, Write, decode
from events.alert import AlertCleared, AlertFired, AlertHeld, AlertSeverity
from events.incident import AlertLinked
from events.memory_log import MemoryLog
from events.rules import RulesPublished
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from events.subjects import split
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.incidents.service import Incidents
from tests.services.incidents.alerts import alert_key, happens

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
Said = TypeVar("Said", bound=Fact)


class Desk:
    """One copy of the service and the world around it. Every call delivers what the service hears of it."""

    def __init__(self, rules: str = "") -> None:
        self.clock = FakeClock(MORNING)
        self.log = MemoryLog(self.clock.now)
        self.timers = MemoryTimers(self.log)
        self.incidents = Incidents(self.log, self.clock, timers=self.timers)
        self._delivered = 0
        self._rules = rules

    async def deliver(self) -> None:
        """Deliver what was said since, until nothing new is said."""
        if self._rules:
            rules, self._rules = self._rules, ""
            await self.publish(rules)
        while (last := await self.log.last_position()) > self._delivered:
            news = [
                decode(stored) async for part in self.log.bulk(after=self._delivered, through=last) for stored in part
            ]
            self._delivered = last
            await self.incidents.on_events(news)

    async def again(self) -> None:
        """Deliver everything that was ever said once more, backwards, to a copy that has just started."""
        last = await self.log.last_position()
        everything = [decode(stored) async for part in self.log.bulk(after=0, through=last) for stored in part]
        copy = Incidents(self.log, self.clock, timers=self.timers)
        for event in reversed(everything):
            await copy.on_event(event)

    async def later(self, **time: float) -> None:
        """Time passes."""
        until = self.clock.moment + timedelta(**time)
        while (due := self.timers.next_due()) is not None and due <= until:
            self.clock.moment = max(self.clock.moment, due)
            self.timers.fire_due(self.clock.now())
            await self.deliver()
        self.clock.moment = until
        await self.deliver()

    async def fires(
        self, name: str, *, service: str = "checkout", severity: AlertSeverity = "critical", **labels: str
    ) -> None:
        """An alert fires; again, when it did before."""
        before = [past.fact for past in await self.log.read(f"alert.{alert_key(name)}")]
        occurrence = 1 + sum(isinstance(fact, AlertFired) for fact in before)
        fact = AlertFired(
            integration="key-alertmanager",
            sender="alertmanager",
            fingerprint=name,
            occurrence=occurrence,
            title=name,
            severity=severity,
            service=service,
            labels=labels,
        )
        await self.deliver()
        await happens(self.log, self.clock, name, fact)
        await self.deliver()

    async def clears(self, name: str) -> None:
        """It stops."""
        await happens(self.log, self.clock, name, AlertCleared())
        await self.deliver()

    async def publish(self, text: str) -> None:
        """New rules."""
        await self.say("rules.default", RulesPublished(text=text, text_sha256=sha256(text.encode()).hexdigest()))

    async def silence(self, *matchers: str, silence_id: str = "sil-1", **time: float) -> None:
        """A silence from now on."""
        now = self.clock.now()
        ends_at = now + timedelta(**time)
        await self.say(
            f"silence.{silence_id}", SilenceCreated(matchers=matchers, starts_at=now, ends_at=ends_at, reason="deploy")
        )

    async def extend(self, silence_id: str = "sil-1", **time: float) -> None:
        """It lasts until so long from now."""
        now = self.clock.now()
        await self.say(
            f"silence.{silence_id}",
            SilenceChanged(starts_at=now, ends_at=now + timedelta(**time), reason="longer"),
        )

    async def end(self, silence_id: str = "sil-1") -> None:
        """Somebody ends it."""
        await self.say(f"silence.{silence_id}", SilenceEnded(reason="done"))

    async def say(self, stream: str, fact: Fact) -> None:
        """Put any fact into the log."""
        history = await self.log.read(stream)
        version = history[-1].seq if history else 0
        event = Event(id=f"{stream}-{version}", fact=fact, happened_at=self.clock.now(), source="recount/signals")
        await self.log.append(Write(stream, version, (event,)))
        await self.deliver()

    async def said(self, kind: type[Said]) -> list[tuple[str, Said]]:
        """Every fact of a kind, with the id of its stream."""
        last = await self.log.last_position()
        everything: list[Recorded] = [
            decode(stored) async for part in self.log.bulk(after=0, through=last) for stored in part
        ]
        return [(split(event.stream)[1], event.fact) for event in everything if isinstance(event.fact, kind)]

    async def placed(self) -> list[tuple[str, str]]:
        """Incident and title of every alert that is in one, oldest first."""
        return [(incident_id, fact.title) for incident_id, fact in await self.said(AlertLinked)]

    async def held(self) -> list[tuple[str, str]]:
        """Cause and holder of everything that was held back, oldest first."""
        return [(fact.because, fact.held_by) for _key, fact in await self.said(AlertHeld)]
