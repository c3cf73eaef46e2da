"""How many events a second the log takes, each on disk before it is acknowledged, and how fast it gives them back.

Run: ``.venv/bin/python benchmarks/bench_append.py [--seconds 5]``. It starts a nats-server with ``sync_interval:
always``. Peers, in the same run: raw nats-py on a stream without any of the log's checks, and the ``eventsourcing``
package on SQLite with ``synchronous=FULL``.
"""

import argparse
import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from nats.js.api import AckPolicy, ConsumerConfig

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from events import NOTHING, Event, Write  # noqa: E402  the root is no package
from events.ids import new_event_id  # noqa: E402
from events.incident import Noted  # noqa: E402
from events.nats_log import NatsLog  # noqa: E402
from events.nats_streams import declare_streams  # noqa: E402
from events.recorded import encode  # noqa: E402
from services.broker import connect_client  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402

TEXT = "error rate of checkout is 4.1 %, rolling back release 2026.11.3, the second canary was fine until 13:58 UTC"
WRITERS = 64
BATCH = 1_000
READ_EVENTS = 100_000


def note() -> Event:
    """An event of a common size, about 350 bytes on the wire."""
    return Event(
        id=new_event_id(),
        fact=Noted(text=TEXT),
        happened_at=datetime.now(UTC),
        source="recount/bench",
        actor="per-7f3k2m9qx4",
        correlation_id="INC-42",
    )


async def rate(seconds: float, writers: int, one: Callable[[int], Awaitable[int]]) -> tuple[float, float]:
    """Events a second over all writers, and the median of one call in milliseconds."""
    took: list[float] = []
    stored = 0
    end = time.perf_counter() + seconds

    async def write(writer: int) -> None:
        nonlocal stored
        while (begin := time.perf_counter()) < end:
            count = await one(writer)
            stored += count
            took.append(time.perf_counter() - begin)

    begin = time.perf_counter()
    await asyncio.gather(*(write(number) for number in range(writers)))
    return stored / (time.perf_counter() - begin), statistics.median(took) * 1_000


def appending(log: NatsLog, name: str, events: int) -> Callable[[int], Awaitable[int]]:
    """A writer that appends to a stream of its own, with the version check."""
    versions: dict[int, int] = {}

    async def one(writer: int) -> int:
        batch = tuple(note() for _ in range(events))
        versions[writer] = await log.append(Write(f"incident.{name}-{writer}", versions.get(writer, NOTHING), batch))
        return events

    return one


async def measure(seconds: float, folder: Path) -> list[tuple[str, float, float]]:
    """Everything that runs on NATS."""
    server = NatsProcess(folder).start()
    client = await connect_client(server.url)
    js = client.jetstream(timeout=30)
    await declare_streams(js)
    await js.add_stream(name="RAW", subjects=["raw.>"])
    log = NatsLog(client, append_timeout_s=30)

    async def raw(_writer: int) -> int:
        _subject, body = encode("incident.INC-42", note())
        await js.publish("raw.noted", body)
        return 1

    rows = [
        ("Recount, one writer, one event an append", *await rate(seconds, 1, appending(log, "one", 1))),
        ("raw nats-py, one publisher, no checks", *await rate(seconds, 1, raw)),
        (f"Recount, {WRITERS} writers, one event an append", *await rate(seconds, WRITERS, appending(log, "many", 1))),
        (f"raw nats-py, {WRITERS} publishers, no checks", *await rate(seconds, WRITERS, raw)),
        ("Recount, one writer, 3 events an append", *await rate(seconds, 1, appending(log, "three", 3))),
        (f"Recount, one writer, {BATCH} events an append", *await rate(seconds, 1, appending(log, "batch", BATCH))),
    ]
    await client.close()
    server.remove()
    return rows


async def measure_reading(folder: Path) -> list[tuple[str, float]]:
    """How fast the same log is read back."""
    server = NatsProcess(folder).start()
    client = await connect_client(server.url)
    js = client.jetstream(timeout=30)
    await declare_streams(js)
    log = NatsLog(client, append_timeout_s=30)
    one = appending(log, "read", BATCH)
    for _ in range(READ_EVENTS // BATCH):
        await one(0)

    async def bulk() -> int:
        return sum([len(batch) async for batch in log.bulk(after=0, through=READ_EVENTS)])

    async def follow() -> int:
        read = 0
        async for batch in log.follow(after=0):
            read += len(batch)
            if read == READ_EVENTS:
                break
        return read

    async def fetch() -> int:
        subscription = await js.pull_subscribe("", stream="EVENTS", config=ConsumerConfig(ack_policy=AckPolicy.NONE))
        read = 0
        while read < READ_EVENTS // 4:
            read += len(await subscription.fetch(500, timeout=5))
        return read

    rows = []
    for name, reader in (
        ("Recount, bulk reading", bulk),
        ("Recount, following", follow),
        ("raw nats-py, fetch(500)", fetch),
    ):
        begin = time.perf_counter()
        rows.append((name, await reader() / (time.perf_counter() - begin)))
    await client.close()
    server.remove()
    return rows


def measure_eventsourcing(seconds: float, folder: Path) -> list[tuple[str, float, float]]:
    """The ``eventsourcing`` package: aggregates on SQLite that syncs each commit."""
    os.environ |= {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "events.db")}
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Incident(Aggregate):
        @event("Noted")
        def note(self, text: str) -> None:
            self.text = text

    application: Application = Application()
    incident = Incident()
    application.save(incident)
    rows = []
    for events in (1, BATCH):
        took: list[float] = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds:
            one = time.perf_counter()
            for _ in range(events):
                incident.note(TEXT)
            application.save(incident)
            took.append(time.perf_counter() - one)
        name = f"eventsourcing on SQLite, {events} event{'s' if events > 1 else ''} a save"
        rows.append((name, events * len(took) / (time.perf_counter() - begin), statistics.median(took) * 1_000))
    application.close()
    with sqlite3.connect(folder / "events.db") as connection:
        (mode,) = connection.execute("pragma synchronous").fetchone()
    connection.close()
    assert mode == 2, "SQLite would not sync every commit, which would compare unlike things"
    return rows


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each row runs")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / part for part in ("append", "read", "sqlite")]
        for folder in folders:
            folder.mkdir()
        rows = asyncio.run(measure(seconds, folders[0])) + measure_eventsourcing(seconds, folders[2])
        read = asyncio.run(measure_reading(folders[1]))
    print("| acknowledged appends, each synced to disk | events/s | ms a call, median |\n|---|---:|---:|")
    for what, events_per_s, ms in rows:
        print(f"| {what} | {events_per_s:,.0f} | {ms:.2f} |")
    print(f"\n| reading {READ_EVENTS:,} events back | events/s |\n|---|---:|")
    for what, events_per_s in read:
        print(f"| {what} | {events_per_s:,.0f} |")


if __name__ == "__main__":
    main()
