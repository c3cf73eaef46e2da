"""How many facts a second a history of another system becomes, each state on disk as a whole before the next.

Run: ``.venv/bin/python benchmarks/bench_import.py [--incidents 10000]``. It starts a nats-server with ``sync_interval:
always`` and has the history service take over incidents of 10 facts each, 100 an order as `recount import` sends them;
then the same again, which must write nothing. The limit in the same run: the same events as bare atomic appends.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from events import NOTHING, Write  # noqa: E402  the root is no package
from events.nats_log import NatsLog  # noqa: E402
from events.nats_streams import declare_streams  # noqa: E402
from services.broker import connect_client  # noqa: E402
from services.command import Order  # noqa: E402
from services.history.commands import Recorded  # noqa: E402
from services.history.service import History  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402

SNAPSHOTS_PER_ORDER = 100
STEPS = (("detected", 1), ("declared", 2), ("contained", 30), ("resolved", 40), ("closed", 50))
TEXT = "The second canary was fine until 13:58 UTC; we roll release 2026.11.3 back and look at the error rate again."


def history(incidents: int) -> Iterator[dict[str, Any]]:
    """Incidents that are over: five phases, one stretch of impact, three updates."""
    for number in range(incidents):
        hour = f"2025-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}"
        yield {
            "system": "bench",
            "id": f"bench-{number}",
            "known_at": "2026-01-01T00:00:00Z",
            "title": f"Checkout is down, {number}",
            "severity": "sev3",
            "service": f"service-{number % 20}",
            "milestones": [{"milestone": name, "at": f"{hour}:{minute:02}:00Z"} for name, minute in STEPS],
            "impact": [{"scope": "api", "level": 2, "start": f"{hour}:00:00Z", "end": f"{hour}:35:00Z"}],
            "updates": [{"at": f"{hour}:{minute:02}:00Z", "text": TEXT, "author": "ada"} for minute in (5, 20, 41)],
        }


async def take_over(service: History, snapshots: Sequence[dict[str, Any]]) -> tuple[int, float]:
    """How many facts were written about incidents, and how long that took."""
    facts, began = 0, time.perf_counter()
    for start in range(0, len(snapshots), SNAPSHOTS_PER_ORDER):
        command = {"type": "record", "snapshots": snapshots[start : start + SNAPSHOTS_PER_ORDER]}
        order = Order(
            id=f"order-{start}",
            actor="administrator",
            issued_at=datetime.now(UTC),
            command=msgspec.Raw(msgspec.json.encode(command)),
        )
        answer = await service.handle(order, "record")
        assert isinstance(answer, Recorded), answer
        facts += sum(outcome.facts for outcome in answer.outcomes)
    return facts, time.perf_counter() - began


async def append_again(log: NatsLog, into: NatsLog, through: int) -> float:
    """How long the same events take as bare appends of 1,000, on streams of one category."""
    events = [past.event for past in await log.read_category("incident")][:through]
    began, version = time.perf_counter(), NOTHING
    for start in range(0, len(events), 1_000):
        version = await into.append(Write("incident.INC-1", version, tuple(events[start : start + 1_000])))
    return time.perf_counter() - began


async def measure(incidents: int) -> None:
    """Run it and print the table."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        servers = [NatsProcess(Path(folder)).start() for folder in (one, other)]
        try:
            clients = [await connect_client(server.url) for server in servers]
            for client in clients:
                await declare_streams(client.jetstream())
            logs = [NatsLog(client) for client in clients]
            snapshots = list(history(incidents))
            facts, first_s = await take_over(History(logs[0]), snapshots)
            events = await logs[0].last_position()
            again, again_s = await take_over(History(logs[0]), snapshots)
            assert again == 0, f"{again} facts were written twice"
            limit_s = await append_again(logs[0], logs[1], events)
            for client in clients:
                await client.close()
        finally:
            for server in servers:
                server.stop()
    taken, bare = events / first_s, facts / limit_s
    print("| what | events | events/s | of the limit |")
    print("|---|---|---|---|")
    print(f"| {incidents:,} incidents taken over, guards included | {events:,} | {taken:,.0f} | {taken / bare:.0%} |")
    print(f"| bare appends of 1,000 (the limit) | {facts:,} | {bare:,.0f} | |")
    print(f"| the same again, nothing written | 0 | {incidents / again_s:,.0f} states/s | |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--incidents", type=int, default=10_000)
    asyncio.run(measure(parser.parse_args().incidents))
