"""An alert of a sender that never clears it counts as cleared when it has not been repeated for long enough."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from events import Event, Write, decode
from events.alert import AlertCleared, AlertFired
from events.memory_log import MemoryLog
from events.receipt import Receipt
from events.rules import RulesPublished
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.incidents.service import Incidents
from services.intake.expiry import Expiry
from services.intake.keys import Keys
from services.intake.translator import Translator

RULES = """
[route]
[[route.routes]]
name = "forgetful"
matchers = ['sender="json"']
expire_after = "1h"
"""


class World:
    """Intake and incidents on one log, and a sender that repeats itself."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        self.log = MemoryLog(self.clock.now)
        self.timers = MemoryTimers(self.log)
        self.incidents = Incidents(self.log, self.clock, timers=self.timers)
        self.translator = Translator(self.log, Keys(self.log), {}, Expiry(self.log, self.timers))
        self._sent = 0

    async def publish(self) -> None:
        fact = RulesPublished(text=RULES, text_sha256=sha256(RULES.encode()).hexdigest())
        event = Event(id="rules", fact=fact, happened_at=self.clock.now(), source="recount/signals")
        await self.log.append(Write("rules.default", 0, (event,)))

    async def fires(self, source: str = "json") -> None:
        self._sent += 1
        alert = {"title": "disk is full", "severity": "critical", "service": "checkout", "dedup_key": "disk"}
        receipt = Receipt(
            seq=self._sent,
            source=source,
            integration=f"key-{source}",
            received_at=self.clock.now(),
            content_type="application/json",
            body=msgspec.json.encode(alert),
        )
        assert await self.translator.handle([receipt], settled=True) == {}

    async def later(self, **time: float) -> None:
        position = await self.log.last_position()
        self.clock.moment += timedelta(**time)
        self.timers.fire_due(self.clock.now())
        last = await self.log.last_position()
        async for part in self.log.bulk(after=position, through=last):
            await self.incidents.on_events([decode(stored) for stored in part])

    async def facts(self) -> list[str]:
        stories = [past.fact for past in await self.log.read_category("alert")]
        return [type(fact).__name__ for fact in stories if isinstance(fact, AlertFired | AlertCleared)]


async def test_an_alert_that_is_not_repeated_counts_as_cleared_and_may_fire_again():
    world = World()
    await world.publish()
    await world.fires()
    await world.later(minutes=59)
    assert await world.facts() == ["AlertFired"]
    await world.later(minutes=7)
    assert await world.facts() == ["AlertFired", "AlertCleared"]
    [cleared] = await world.log.read_named("alert", "cleared")
    assert isinstance(cleared.fact, AlertCleared)
    assert cleared.fact.because == "expired"
    assert cleared.fact.title
    await world.fires()
    assert await world.facts() == ["AlertFired", "AlertCleared", "AlertFired"]


async def test_an_alert_that_is_repeated_goes_on_and_the_log_does_not_grow():
    world = World()
    await world.publish()
    await world.fires()
    position = await world.log.last_position()
    for _ in range(40):
        await world.later(minutes=5)
        await world.fires()
    assert await world.log.last_position() == position
    await world.later(minutes=66)
    assert await world.facts() == ["AlertFired", "AlertCleared"]


async def test_without_such_a_rule_only_the_sender_clears():
    world = World()
    await world.fires()
    await world.later(days=30)
    assert await world.facts() == ["AlertFired"]
