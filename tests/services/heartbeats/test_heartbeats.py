"""Heartbeats in a world with a clock of its own: what counts as missed, and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from events import decode
from events.alert import AlertCleared, AlertFired
from events.heartbeat import HeartbeatMissed, HeartbeatReturned, HeartbeatUnexpected
from events.memory_log import MemoryLog
from events.receipt import Receipt
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.command import Answer, Done, Order, Refused, verb_of
from services.heartbeats.commands import Configure, HeartbeatCommand, Pause, Remove
from services.heartbeats.service import Heartbeats
from services.intake.pings import Pings
from services.intake.signal import Ping
from services.sign_of_life import SignOfLife

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BACKUP = "nightly-backup"
STEP = timedelta(seconds=5)


class World:
    """Heartbeats, intake's pings and its door, on a log in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.log = MemoryLog(self.clock.now)
        self.timers = MemoryTimers(self.log)
        self.door = SignOfLife(self.timers)
        self.is_open = True
        self.untranslated: list[Receipt] = []
        self._received = 0
        self._heard = 0
        self._orders = 0
        self.restart()

    def restart(self) -> None:
        """As after a crash: nothing in memory survives."""
        self.service = Heartbeats(
            self.log,
            self.timers,
            self.clock,
            self.door,
            received_through=self._received_through,
            dealt_with_through=self._dealt_with_through,
        )
        self.pings = Pings(self.log, self.timers)

    async def _received_through(self) -> int:
        return self._received

    async def _dealt_with_through(self) -> int:
        return self.untranslated[0].seq - 1 if self.untranslated else self._received

    async def run(self, minutes: float, *, alive: bool = True) -> None:
        """Let time pass. While nothing is alive timers fire, and are heard later."""
        end = self.clock.moment + timedelta(minutes=minutes)
        while self.clock.moment < end:
            self.clock.moment += STEP
            if self.is_open and alive:
                await self.door.give(self.clock.now())
            self.timers.fire_due(self.clock.now())
            if alive:
                await self._hear()

    async def _hear(self) -> None:
        while self._heard < await self.log.last_position():
            self._heard += 1
            stored = await self.log.get(self._heard)
            assert stored is not None
            event = decode(stored)
            if event.stream.startswith(("heartbeat.", "timer.")):
                await self.service.on_event(event)

    async def ping(self, name: str = BACKUP, *, translated: bool = True) -> bool:
        """A ping is received, and as a rule understood at once."""
        self._received += 1
        receipt = Receipt(
            seq=self._received, source="heartbeat", integration="key-h", received_at=self.clock.now(), body=b""
        )
        if not translated:
            self.untranslated.append(receipt)
            return False
        return await self.understand(receipt, name)

    async def understand(self, receipt: Receipt, name: str = BACKUP) -> bool:
        self.untranslated = [one for one in self.untranslated if one.seq != receipt.seq]
        left = await self.pings.handle(receipt, 0, Ping(heartbeat_id=name))
        await self._hear()
        return left

    async def ask(self, command: HeartbeatCommand, name: str = BACKUP) -> Answer:
        self._orders += 1
        order = Order(
            id=f"order-{self._orders}",
            actor="per-ada",
            issued_at=self.clock.now(),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=name,
        )
        answer = await self.service.handle(order, verb_of(command))
        await self._hear()
        return answer

    async def said(self, category: str) -> list[Any]:
        return [recorded.fact for recorded in await self.log.read_category(category)]

    async def is_missed(self) -> bool:
        facts = [fact for fact in await self.said("heartbeat") if isinstance(fact, HeartbeatMissed | HeartbeatReturned)]
        return bool(facts) and isinstance(facts[-1], HeartbeatMissed)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.run(1)
    assert isinstance(await world.ask(Configure(every_s=300, grace_s=60, severity="critical", service="db")), Done)
    return world


async def test_as_long_as_pings_come_nothing_is_said(world: World):
    before = await world.log.last_position()
    for _ in range(30):
        await world.run(5)
        assert not await world.ping(), "a ping leaves no fact"
    assert await world.log.last_position() == before


async def test_a_missed_ping_is_an_alert_and_a_late_one_clears_it(world: World):
    await world.ping()
    pinged_at = world.clock.now()
    await world.run(7)
    (fired,) = await world.said("alert")
    assert isinstance(fired, AlertFired)
    assert (fired.title, fired.severity, fired.service) == (f"heartbeat {BACKUP} missed", "critical", "db")
    assert (fired.sender, fired.started_at) == ("heartbeat", pinged_at + timedelta(minutes=6))
    await world.run(60)
    assert len(await world.said("alert")) == 1, "it is told once"
    assert await world.ping(), "this one leaves a fact"
    cleared = (await world.said("alert"))[-1]
    assert isinstance(cleared, AlertCleared)
    assert cleared.title == fired.title
    assert cleared.ended_at == world.clock.now()
    await world.run(7)
    again = (await world.said("alert"))[-1]
    assert isinstance(again, AlertFired)
    assert again.occurrence == 2


async def test_one_that_never_pinged_is_missed_a_whole_interval_after_it_was_configured(world: World):
    await world.run(5.5)
    assert not await world.is_missed()
    await world.run(1)
    assert await world.is_missed()


async def test_what_came_due_while_nothing_ran_is_told_afterwards(world: World):
    await world.ping()
    await world.run(0.5)
    world.timers.fire_due(world.clock.now())
    # Only the service was away; the door, in another process, was open.
    for _ in range(120):
        world.clock.moment += STEP
        await world.door.give(world.clock.now())
        world.timers.fire_due(world.clock.now())
    world.restart()
    await world.run(1)
    assert await world.is_missed()


async def test_while_nobody_could_be_heard_silence_says_nothing(world: World):
    await world.ping()
    await world.run(30, alive=False)
    world.restart()
    back_at = world.clock.now()
    await world.run(5)
    assert not await world.is_missed(), "a sender has a whole interval from when the door opened"
    await world.run(2)
    assert await world.is_missed()
    missed = (await world.log.read(f"heartbeat.{BACKUP}"))[-1]
    assert missed.recorded_at >= back_at + timedelta(minutes=6)


async def test_while_the_door_is_closed_nothing_is_missed_though_the_service_runs(world: World):
    await world.ping()
    world.is_open = False
    await world.run(120)
    assert not await world.is_missed()
    world.is_open = True
    await world.run(1)
    await world.ping()
    await world.run(5)
    assert not await world.is_missed()
    await world.run(2)
    assert await world.is_missed()


async def test_a_ping_that_is_not_translated_yet_counts(world: World):
    await world.run(5)
    await world.ping(translated=False)
    await world.run(10)
    assert not await world.is_missed()
    (late,) = world.untranslated
    await world.understand(late)
    await world.run(0.5)
    # It came ten minutes ago, and is overdue by now.
    assert await world.is_missed()
    (missed,) = [fact for fact in await world.said("heartbeat") if isinstance(fact, HeartbeatMissed)]
    assert missed.last_ping_at == late.received_at


async def test_an_old_ping_that_is_delivered_again_does_not_undo_a_newer_one(world: World):
    await world.ping()
    old = Receipt(seq=1, source="heartbeat", integration="key-h", received_at=world.clock.now(), body=b"")
    await world.run(5)
    await world.ping()
    await world.understand(old)
    await world.run(5)
    assert not await world.is_missed()


async def test_an_old_ping_does_not_clear_a_miss(world: World):
    await world.ping()
    old = Receipt(seq=1, source="heartbeat", integration="key-h", received_at=world.clock.now(), body=b"")
    await world.run(7)
    assert await world.is_missed()
    await world.understand(old)
    assert await world.is_missed()


@pytest.mark.parametrize("command", [Pause(), Remove(reason="no longer needed")])
async def test_what_is_paused_or_removed_is_not_missed_and_its_alert_is_cleared(world: World, command):
    await world.run(7)
    assert await world.is_missed()
    assert isinstance(await world.ask(command), Done)
    cleared = (await world.said("alert"))[-1]
    assert isinstance(cleared, AlertCleared)
    assert cleared.because == ("paused" if isinstance(command, Pause) else "removed")
    count = await world.log.last_position()
    await world.run(30)
    assert await world.log.last_position() == count


async def test_a_shorter_interval_counts_from_when_it_was_asked(world: World):
    await world.ask(Configure(every_s=3600))
    await world.run(10)
    await world.ask(Configure(every_s=60))
    await world.run(0.5)
    assert not await world.is_missed()
    await world.run(1)
    assert await world.is_missed()


async def test_pings_that_nobody_expects_are_told_once(world: World):
    for _ in range(5):
        await world.ping("unknown")
    told = [fact for fact in await world.said("heartbeat") if isinstance(fact, HeartbeatUnexpected)]
    assert len(told) == 1
    await world.ask(Configure(every_s=60), "unknown")
    await world.run(3)
    assert await world.is_missed()


async def test_asking_for_what_holds_writes_nothing(world: World):
    answer = await world.ask(Configure(every_s=300, grace_s=60, severity="critical", service="db"))
    assert isinstance(answer, Done)
    assert answer.seq == 0


@pytest.mark.parametrize(
    ("command", "name"), [(Configure(every_s=1), BACKUP), (Pause(), "nobody"), (Remove(), "nobody"), (Pause(), "")]
)
async def test_what_cannot_be_done_is_refused_with_what_to_do(world: World, command, name):
    answer = await world.ask(command, name)
    assert isinstance(answer, Refused)
    assert answer.instead
