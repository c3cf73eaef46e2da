"""Durable timers keep the same promises on JetStream, where the server fires them, and in memory, where a test does."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nats.aio.client import Client

from events import EventLog, Recorded
from events.errors import InvalidEvent, LogUnavailable
from events.memory_log import MemoryLog
from events.nats_log import NatsLog
from events.nats_streams import EVENTS, TIMERS, declare_streams
from events.timer import TimerFired
from events.timers import MemoryTimers, NatsTimers, Timer, Timers
from services.broker import connect_client
from tests.nats_process import NatsProcess

WAIT_S = 20


class World:
    """A log, its timers, and how its time passes."""

    def __init__(self, log: EventLog, timers: Timers, fire: Callable[[], object]) -> None:
        self.log = log
        self.timers = timers
        self._fire = fire

    async def fired(self, count: int) -> list[Recorded]:
        """Wait until so many timers have fired."""
        async with asyncio.timeout(WAIT_S):
            while True:
                self._fire()
                found = await self.log.read_category("timer")
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


@pytest.fixture
def world(log: EventLog, request: pytest.FixtureRequest) -> World:
    if isinstance(log, MemoryLog):
        timers = MemoryTimers(log)
        return World(log, timers, lambda: timers.fire_due(datetime.now(UTC)))
    return World(log, NatsTimers(request.getfixturevalue("nats_client")), lambda: None)


@pytest.fixture
async def nats_client(nats_url: str):
    client = await connect_client(nats_url)
    yield client
    await client.close()


def timer(identifier: str, in_s: float, token: str = "") -> Timer:
    return Timer(
        id=identifier,
        due_at=datetime.now(UTC) + timedelta(seconds=in_s),
        purpose="escalation",
        about="escalation.INC-42",
        token=token,
        correlation_id="INC-42",
    )


async def test_a_timer_that_is_due_is_in_the_log_with_its_time(world: World):
    wish = timer("level-2", 0.3, token="run=1 level=2")
    await world.timers.set(wish)
    (fired,) = await world.fired(1)
    assert fired.stream == "timer.level-2"
    assert fired.event == wish.event()
    assert fired.fact == TimerFired(
        purpose="escalation", about="escalation.INC-42", due_at=wish.due_at, token="run=1 level=2"
    )
    assert fired.happened_at == wish.due_at
    assert fired.recorded_at >= wish.due_at - timedelta(milliseconds=5)


async def test_a_time_that_has_passed_fires_at_once(world: World):
    await world.timers.set(timer("late", -3600))
    assert len(await world.fired(1)) == 1


async def test_setting_a_timer_again_replaces_its_time(world: World):
    await world.timers.set(timer("level-2", 0.4, token="first"))
    await world.timers.set(timer("level-2", 0.8, token="second"))
    await world.timers.set(timer("marker", 1.0))
    fired = await world.fired(2)
    assert [recorded.fact.token for recorded in fired if recorded.stream == "timer.level-2"] == ["second"]


async def test_a_cancelled_timer_stays_silent_and_cancelling_what_never_was_does_nothing(world: World):
    await world.timers.set(timer("level-2", 0.4))
    await world.timers.cancel("level-2")
    await world.timers.cancel("never-set")
    await world.timers.set(timer("marker", 0.6))
    assert [recorded.stream for recorded in await world.fired(1)] == ["timer.marker"]


async def test_an_id_that_would_reach_other_timers_is_refused(world: World):
    with pytest.raises(InvalidEvent):
        await world.timers.set(timer("*", 0.1))
    with pytest.raises(InvalidEvent):
        await world.timers.cancel("*")


async def test_what_has_fired_leaves_the_timers_after_its_age_and_stays_in_the_log(
    nats_log: NatsLog, nats_client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("events.timers.TIMER_FIRED_AGE_S", 1)
    await NatsTimers(nats_client).set(timer("level-2", -1))
    await World(nats_log, NatsTimers(nats_client), lambda: None).fired(1)
    js = nats_client.jetstream()
    async with asyncio.timeout(WAIT_S):
        while (await js.stream_info(TIMERS)).state.messages:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [recorded.stream for recorded in await nats_log.read_category("timer")] == ["timer.level-2"]
    # A sourced copy carries its time to live along: the log may never be told to honour it.
    assert not (await js.stream_info(EVENTS)).config.allow_msg_ttl


def test_timers_in_memory_tell_what_is_due_next_and_fire_in_order():
    log = MemoryLog(now=lambda: datetime.now(UTC))
    timers = MemoryTimers(log)
    assert timers.next_due() is None
    late, early = timer("late", -1), timer("early", -2)
    asyncio.run(timers.set(late))
    asyncio.run(timers.set(early))
    assert timers.next_due() == early.due_at
    assert timers.fire_due(datetime.now(UTC)) == 2
    assert [recorded.stream for recorded in asyncio.run(log.read_category("timer"))] == ["timer.early", "timer.late"]


async def test_timers_survive_kill_9_and_those_due_meanwhile_fire_at_the_start(tmp_path: Path):
    server = NatsProcess(tmp_path).start()
    try:
        client = await connect_client(server.url)
        await declare_streams(client.jetstream())
        timers, log = NatsTimers(client), NatsLog(client)
        for number in range(20):
            await timers.set(timer(f"level-{number}", 0.2 + number / 10))
        server.kill()
        await asyncio.sleep(0.5)
        server.start()
        async with asyncio.timeout(WAIT_S):
            while not client.is_connected or len(await log.read_category("timer")) < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        streams = [recorded.stream for recorded in await log.read_category("timer")]
        assert sorted(streams) == sorted(f"timer.level-{number}" for number in range(20))
        await client.close()
    finally:
        server.remove()


async def test_a_timer_that_could_not_be_set_says_so(tmp_path: Path):
    server = NatsProcess(tmp_path).start()
    try:
        client = await connect_client(server.url)  # and no streams: nobody takes the timer
        timers = NatsTimers(client)
        with pytest.raises(LogUnavailable, match="timer level-2 could not be set"):
            await timers.set(timer("level-2", 1))
        with pytest.raises(LogUnavailable, match="timer level-2 could not be cancelled"):
            await timers.cancel("level-2")
        await client.close()
    finally:
        server.remove()
