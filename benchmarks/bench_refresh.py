"""How long an event takes from the log into every projection that it changes, in a log of ten thousand, of a million
and of ten million events.

Run: ``.venv/bin/python benchmarks/bench_refresh.py [--events 10000 1000000 10000000] [--seconds 5]``. The limit
beside it, in the same run: raw DuckDB appending the same events as they came to one table and committing, with no
projection at all.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import filled_warehouse, synthetic_log  # noqa: E402  the root is no package
from events import Stored  # noqa: E402

LENGTHS = (10_000, 1_000_000, 10_000_000)
BATCHES = (1, 10, 100, 1_000)
ROUNDS_MIN = 10


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=LENGTHS, help="lengths of the logs")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each cell runs")
    arguments = parser.parse_args()
    print(
        "| batch | events before it | median ms | p99 ms | processor ms | events/s | times raw DuckDB "
        "| times the small log |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    small: dict[int, float] = {}
    for length in sorted(arguments.events):
        for batch, took, processor, raw in measure(length, arguments.seconds):
            took.sort()
            median, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
            small.setdefault(batch, median)
            print(
                f"| {batch:,} | {length:,} | {median * 1e3:.1f} | {p99 * 1e3:.1f} "
                f"| {processor * 1e3:.1f} | {batch / median:,.0f} "
                f"| {median / raw:.1f} | {median / small[batch]:.2f} |",
                flush=True,
            )


def measure(length: int, seconds: float) -> Iterator[tuple[int, list[float], float, float]]:
    """For each size of batch: how long each took, what one took of a processor, and the median of raw DuckDB, in
    seconds."""
    log = synthetic_log(length * 2 + 1_000_000)
    with (
        tempfile.TemporaryDirectory() as folder,
        filled_warehouse(Path(folder) / "recount.duckdb", log, length) as warehouse,
        duckdb.connect(str(Path(folder) / "raw.duckdb"), config={"threads": 2}) as raw,
    ):
        raw.execute("create table raw (seq bigint, subject varchar, recorded_at timestamp, body blob)")
        for batch in BATCHES:
            spent = time.process_time()
            took = _repeat(lambda events: warehouse.apply(events), log, batch, seconds)
            spent = time.process_time() - spent
            limit = sorted(_repeat(lambda events: _append(raw, events), log_again(batch), batch, seconds / 5))
            yield batch, took, spent / len(took), limit[len(limit) // 2]


def log_again(batch: int) -> Iterator[Stored]:
    """Other events of the same kind for raw DuckDB, which does not mind their positions."""
    return synthetic_log(1_000_000, seed=batch + 1)


def _repeat(work: Callable[[list[Stored]], None], log: Iterator[Stored], batch: int, seconds: float) -> list[float]:
    took: list[float] = []
    while sum(took) < seconds or len(took) < ROUNDS_MIN:
        events = list(islice(log, batch))
        begin = time.perf_counter()
        work(events)
        took.append(time.perf_counter() - begin)
    return took


def _append(raw: duckdb.DuckDBPyConnection, events: list[Stored]) -> None:
    raw.begin()
    with raw.appender("raw") as appender:
        appender.append_rows([(stored.seq, stored.subject, stored.recorded_at, stored.body) for stored in events])
    raw.commit()


if __name__ == "__main__":
    main()
