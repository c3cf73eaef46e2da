"""Heartbeats on a real server: killed in the middle, and with intake in front of them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from events import Event, Write
from events.alert import AlertCleared, AlertFired
from events.errors import LogError
from events.heartbeat import HeartbeatConfigured, HeartbeatMissed, HeartbeatReturned
from events.ids import new_event_id
from events.nats_intake import NatsReceipts
from events.receipt import Receipt
from services.context import Context
from services.heartbeat import timer_id
from services.heartbeats.wiring import attach_heartbeats
from services.intake.wiring import attach_intake, keep_telling
from tests.nats_process import NatsProcess
from tests.services.intake.alone import context_of, emptied

PATIENCE_S = 40.0


async def eventually(holds: Callable[[], Awaitable[Any]], what: str) -> None:
    """Wait until something holds; a server that was killed answers nothing meanwhile."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        with suppress(LogError):
            if await holds():
                return
        assert asyncio.get_running_loop().time() < deadline, f"after {PATIENCE_S:.0f} s still not: {what}"
        await asyncio.sleep(0.05)  # the condition is in other processes


async def test_a_miss_survives_kill_9_and_a_late_ping_clears_it(tmp_path: Path):
    nats = NatsProcess(tmp_path).start()
    try:
        await (await emptied(nats.url)).close()
        context = await context_of(nats.url, tmp_path / "data")
        intake = await attach_intake(context, repeats_age_s=0.05)
        await attach_heartbeats(context)
        await context.broker.start()
        telling = asyncio.create_task(keep_telling(context))
        log = context.log

        async def facts(category: str) -> list[Any]:
            return [recorded.fact for recorded in await log.read_category(category)]

        await log.append(Write("heartbeat.nightly", 0, (_event(HeartbeatConfigured(name="nightly", every_s=4)),)))
        await _ping(context)

        async def is_put_off() -> bool:
            waiting = await context.timers.waiting(timer_id("nightly"))
            return waiting is not None and not waiting.token.startswith("never")

        await eventually(is_put_off, "the ping moved the timer")
        assert [fact for fact in await facts("heartbeat") if not isinstance(fact, HeartbeatConfigured)] == []
        nats.kill()
        nats.start()

        async def is_missed() -> bool:
            return isinstance((await facts("heartbeat"))[-1], HeartbeatMissed)

        await eventually(is_missed, "the missing ping is told")
        (fired,) = await facts("alert")
        assert isinstance(fired, AlertFired)
        assert (await facts("heartbeat"))[-1].last_ping_at is not None
        await _ping(context)

        async def is_cleared() -> bool:
            return isinstance((await facts("alert"))[-1], AlertCleared)

        await eventually(is_cleared, "the late ping cleared it")
        returned = [fact for fact in await facts("heartbeat") if isinstance(fact, HeartbeatReturned)]
        assert [fact.receipt_seq for fact in returned] == [2]

        async def is_counted() -> bool:
            return await intake.counter.count() == 2

        await eventually(is_counted, "both pings are counted")
        (repeats,) = await log.read("ledger.repeated")
        assert repeats.fact.count == 1, "the first ping changed nothing"
        telling.cancel()
        await context.broker.stop()
        await context.client.close()
    finally:
        nats.stop()


async def _ping(context: Context) -> None:
    receipt = Receipt(
        source="heartbeat",
        integration="key-h",
        received_at=context.clock.now(),
        headers={"recount-target": "GET /heartbeats/key-h/nightly"},
        body=b"",
    )
    await NatsReceipts(context.client).put(receipt)


def _event(fact: Any) -> Event:
    return Event(id=new_event_id(), fact=fact, happened_at=datetime.now(UTC), source="recount/test")
