"""How many events a second a warehouse is built from, out of JetStream with nothing but the log: read, copied, and
every projection computed.

Run: ``.venv/bin/python benchmarks/bench_cold_rebuild.py [--events 1000000]``. It starts a nats-server with
``sync_interval: always`` and fills it with atomic batches of 1,000. The limit beside it, in the same run: reading the
same events without doing anything with them.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import synthetic_log  # noqa: E402  the root is no package
from events.nats_batch import publish_batch  # noqa: E402
from events.nats_log import NatsLog  # noqa: E402
from events.nats_streams import declare_streams  # noqa: E402
from projections.warehouse import Warehouse  # noqa: E402
from services.broker import connect_client  # noqa: E402
from services.projector.loading import load_through  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402

BATCH = 1_000


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="length of the log")
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(measure(events, Path(folder)))
    print("| what | events | seconds | events/s | processor seconds |\n|---|---:|---:|---:|---:|")
    for what, seconds, processor in rows:
        print(f"| {what} | {events:,} | {seconds:.1f} | {events / seconds:,.0f} | {processor:.1f} |")
    print(f"\nMemory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


async def measure(events: int, folder: Path) -> list[tuple[str, float, float]]:
    """Seconds of filling, of reading alone, and of the whole; each with what this process spent of a processor."""
    server = NatsProcess(folder).start()
    client = await connect_client(server.url)
    try:
        await declare_streams(client.jetstream(timeout=30))
        log = NatsLog(client, append_timeout_s=30)
        rows = []
        clock = _Clock()
        told = synthetic_log(events)
        while batch := list(islice(told, BATCH)):
            await publish_batch(client, [(stored.subject, stored.body, {}) for stored in batch], timeout_s=30)
        rows.append(("filling the stream, each batch on disk", *clock.lap()))
        read = sum([len(batch) async for batch in log.bulk(after=0, through=events)])
        rows.append(("reading it, nothing else", *clock.lap()))
        assert read == events
        with Warehouse.open(folder / "recount.duckdb") as warehouse:
            await load_through(warehouse, log, events)
            rows.append(("the whole cold rebuild", *clock.lap()))
        return rows
    finally:
        await client.close()
        server.remove()


class _Clock:
    """Seconds since the last lap, on the wall and of a processor."""

    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def lap(self) -> tuple[float, float]:
        before, self._began = self._began, (time.perf_counter(), time.process_time())
        return self._began[0] - before[0], self._began[1] - before[1]


if __name__ == "__main__":
    main()
