"""What durable timers promise, asked of those in memory and of those on JetStream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events import Recorded
from events.errors import LogUnavailable
from events.memory_log import MemoryLog
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from events.timers import MemoryTimers, NatsTimers, Timer, Timers
from services.broker import connect_client
from tests.nats_process import NatsProcess

# JetStream fires within milliseconds and restarts in about a second; the rest is for a busy machine.
DEADLINE_S = 20.0
POLL_S = 0.02


def timer(in_s: float, *, about: str = "escalation.INC-42", identifier: str = "esc-INC-42-1-0-2") -> Timer:
    return Timer(
        id=identifier,
        due_at=datetime.now(UTC) + timedelta(seconds=in_s),
        purpose="escalation",
        about=about,
        token="run=1 round=0 level=2",
        correlation_id="INC-42",
    )


class Bench:
    """Timers of either kind and the log into which they fire."""

    def __init__(self, log: MemoryLog | NatsLog, timers: Timers) -> None:
        self.log = log
        self.timers = timers

    async def fired(self, at_least: int = 1) -> list[Recorded]:
        """What has fired, as soon as it is so many."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                # A server that was just killed answers nothing, and its client may not have noticed yet.
                with suppress(LogUnavailable):
                    if len(found := await self.so_far()) >= at_least:
                        return found
                await asyncio.sleep(POLL_S)

    async def so_far(self) -> list[Recorded]:
        """What has fired by now."""
        if isinstance(self.timers, MemoryTimers):
            self.timers.fire_due(datetime.now(UTC))
        return await self.log.read_category("timer")


@pytest.fixture
async def nats_bench(nats_url: str, nats_log: NatsLog) -> AsyncIterator[Bench]:
    client = await connect_client(nats_url)
    yield Bench(nats_log, NatsTimers(client))
    await client.close()


@pytest.fixture(params=["memory", "nats"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        log = MemoryLog(now=lambda: datetime.now(UTC))
        return Bench(log, MemoryTimers(log))
    return request.getfixturevalue("nats_bench")


async def test_a_timer_fires_at_its_time_into_the_log(bench: Bench):
    wish = timer(0.3)
    await bench.timers.set(wish)
    assert await bench.so_far() == []
    [fired] = await bench.fired()
    assert fired.event == wish.event()
    assert fired.stream == "timer.esc-INC-42-1-0-2"
    assert fired.fact.due_at == wish.due_at
    assert datetime.now(UTC) >= wish.due_at


async def test_a_time_that_has_passed_fires_at_once(bench: Bench):
    await bench.timers.set(timer(-3600))
    [fired] = await bench.fired()
    assert fired.fact.about == "escalation.INC-42"


async def test_setting_it_again_replaces_the_time(bench: Bench):
    await bench.timers.set(timer(0.5))
    later = timer(1.0)
    await bench.timers.set(later)
    [fired] = await bench.fired()
    assert fired.event == later.event()
    await bench.timers.set(timer(-1, identifier="a-fence"))
    assert len(await bench.fired(2)) == 2


async def test_a_later_time_may_be_brought_forward(bench: Bench):
    await bench.timers.set(timer(3600))
    await bench.timers.set(timer(0))
    assert len(await bench.fired()) == 1


async def test_a_cancelled_timer_does_not_fire(bench: Bench):
    await bench.timers.set(timer(0.5))
    await bench.timers.cancel("esc-INC-42-1-0-2")
    await bench.timers.set(timer(0.8, identifier="a-fence"))
    assert [recorded.stream for recorded in await bench.fired()] == ["timer.a-fence"]


async def test_cancelling_what_has_fired_or_never_was_does_nothing(bench: Bench):
    await bench.timers.set(timer(-1))
    await bench.fired()
    await bench.timers.cancel("esc-INC-42-1-0-2")
    await bench.timers.cancel("never-set")
    assert len(await bench.so_far()) == 1


async def test_a_timer_may_be_set_again_after_it_fired(bench: Bench):
    await bench.timers.set(timer(-1))
    await bench.fired()
    await bench.timers.set(timer(0))
    first, second = await bench.fired(2)
    assert first.event.id != second.event.id


async def test_timers_of_different_ids_do_not_touch_each_other(bench: Bench):
    for number in range(20):
        await bench.timers.set(timer(0.1, identifier=f"page-pg-{number}", about=f"page.pg-{number}"))
    fired = await bench.fired(20)
    assert {recorded.fact.about for recorded in fired} == {f"page.pg-{number}" for number in range(20)}


async def test_what_waits_can_be_looked_at_until_it_fires(bench: Bench):
    wish = timer(3600)
    await bench.timers.set(timer(7200))
    await bench.timers.set(wish)
    assert await bench.timers.waiting(wish.id) == wish.event().fact
    assert await bench.timers.waiting("never-set") is None
    await bench.timers.set(timer(0))
    await bench.fired()
    assert await bench.timers.waiting(wish.id) is None


@pytest.mark.parametrize("down_for_s", [0.0, 1.5], ids=["due-after-the-restart", "due-while-it-is-down"])
async def test_a_timer_survives_kill_9_of_the_server(tmp_path: Path, down_for_s: float):
    server = NatsProcess(tmp_path).start()
    try:
        client = await connect_client(server.url)
        await declare_streams(client.jetstream())
        timers, log = NatsTimers(client), NatsLog(client)
        await timers.set(timer(1.0))
        await timers.set(timer(3600, identifier="far-away"))
        server.kill()
        due = datetime.now(UTC) + timedelta(seconds=down_for_s)
        async with asyncio.timeout(DEADLINE_S):
            while datetime.now(UTC) < due:  # noqa: ASYNC110 - what is waited for is the time itself
                await asyncio.sleep(POLL_S)
        server.start()
        [fired] = await Bench(log, timers).fired()
        assert fired.stream == "timer.esc-INC-42-1-0-2"
        await client.close()
    finally:
        server.stop()
