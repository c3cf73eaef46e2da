"""How many events a second a warehouse is built again from: the projections out of the copied log, and everything out
of the events as they come.

Run: ``.venv/bin/python benchmarks/bench_rebuild.py [--events 10000 1000000 10000000]``. Beside it, in the same run: one
scan of raw DuckDB over the same rows that counts a field by type, and the ``eventsourcing`` package replaying its own
events.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import synthetic_log  # noqa: E402  the root is no package
from projections.warehouse import Warehouse  # noqa: E402
from services.projector.loading import LOAD_EVENTS  # noqa: E402

LENGTHS = (10_000, 1_000_000, 10_000_000)
PEER_EVENTS = 200_000
MEMORY_LIMIT = "3GB"
EVENTS_PER_AGGREGATE = 20


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=LENGTHS, help="lengths of the logs")
    lengths = parser.parse_args().events
    peer = measure_eventsourcing()
    print("| what | events | seconds | events/s | processor seconds | times eventsourcing | MiB so far |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print(f"| eventsourcing: replay into one dict | {PEER_EVENTS:,} | {PEER_EVENTS / peer:.2f} | {peer:,.0f} | | 1 | |")
    for length in sorted(lengths):
        for what, seconds, processor in measure(length):
            rate, memory = length / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"| {what} | {length:,} | {seconds:.2f} | {rate:,.0f} | {processor:.2f} | {rate / peer:,.1f} "
                f"| {memory:,.0f} |",
                flush=True,
            )


def measure(length: int) -> list[tuple[str, float, float]]:
    """Seconds for each way of building a warehouse of so many events, on the wall and of a processor."""
    log = synthetic_log(length)
    with (
        tempfile.TemporaryDirectory() as folder,
        Warehouse.open(Path(folder) / "recount.duckdb", memory_limit=MEMORY_LIMIT) as warehouse,
    ):
        loading = (0.0, 0.0)
        while stretch := list(islice(log, LOAD_EVENTS)):
            loading = _sum(loading, _seconds(partial(warehouse.load, stretch)))
        rebuilding = _seconds(lambda: warehouse.rebuild())
        scanning = _seconds(lambda: warehouse.ask("select type, count(actor), max(seq) from log_rows group by type"))
        verifying = _seconds(lambda: warehouse.verify_views())
    return [
        ("one scan of raw DuckDB", *scanning),
        ("all stored projections, from the copied log", *rebuilding),
        ("the same, compared row by row with the live ones", *verifying),
        ("everything, from the events as they come", *_sum(loading, rebuilding)),
    ]


def measure_eventsourcing() -> float:
    """Events a second that the ``eventsourcing`` package decodes and folds, from its store in memory."""
    os.environ["PERSISTENCE_MODULE"] = "eventsourcing.popo"
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Incident(Aggregate):
        @event("Noted")
        def note(self, text: str, severity: str) -> None:
            self.text, self.severity = text, severity

    application: Application = Application()
    for _ in range(PEER_EVENTS // EVENTS_PER_AGGREGATE):
        incident = Incident()
        for number in range(EVENTS_PER_AGGREGATE - 1):
            incident.note(f"step {number}", "sev2")
        application.save(incident)
    state: dict[object, tuple[str, int]] = {}
    begin = time.perf_counter()
    notifications = application.recorder.select_notifications(start=1, limit=PEER_EVENTS)
    for notification in notifications:
        told = application.mapper.to_domain_event(notification)
        state[told.originator_id] = (getattr(told, "severity", ""), told.originator_version)
    rate = len(notifications) / (time.perf_counter() - begin)
    application.close()
    assert len(notifications) == PEER_EVENTS, len(notifications)
    return rate


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def _sum(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]


if __name__ == "__main__":
    main()
