"""How long the past takes: each view as of the middle of a log of ten thousand and of a million events.

Run: ``.venv/bin/python benchmarks/bench_as_of.py [--events 1000000]``. The limit beside it, in the same run: one scan
of raw DuckDB over the same half of the log that takes one field of every event.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import filled_warehouse, synthetic_log  # noqa: E402  the root is no package
from projections.warehouse import Warehouse  # noqa: E402

SMALL_LOG = 10_000
ROUNDS = 5
LIMIT = "select count(*), count(fact.title), count(happened_at), max(stream_id) from log_rows"
ONE = {
    "one incident": "select * from incidents where incident_id = '{incident}'",
    "one incident's timeline": "select * from incident_timeline where incident_id = '{incident}'",
    "one incident's milestones": "select * from incident_milestones where incident_id = '{incident}'",
}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="length of the long log")
    events = parser.parse_args().events
    columns = {length: measure(length) for length in (SMALL_LOG, events)}
    print(f"| as of the middle | {SMALL_LOG:,} events: ms | {events:,} events: ms | times a raw scan |")
    print("|---|---:|---:|---:|")
    small, large = columns.values()
    for what, ms in large.items():
        print(f"| {what} | {small[what]:.1f} | {ms:.1f} | {ms / large['one raw scan']:.1f} |")


def measure(length: int) -> dict[str, float]:
    """Milliseconds of each question, the median of a few."""
    with (
        tempfile.TemporaryDirectory() as folder,
        filled_warehouse(Path(folder) / "recount.duckdb", synthetic_log(length), length) as warehouse,
    ):
        middle = length // 2
        (incident,) = warehouse.ask("select max(incident_id) from incidents", as_of=middle).rows[0]
        questions = {"one raw scan": LIMIT}
        questions |= {what: sql.format(incident=incident) for what, sql in ONE.items()}
        # Counting instead of fetching: what is measured is the fold, not Python's rows.
        questions |= {
            view.name: f"select count(*), max(t::varchar) from {view.name} as t" for view in warehouse.views()
        }
        return {what: _median_ms(warehouse, sql, middle) for what, sql in questions.items()}


def _median_ms(warehouse: Warehouse, sql: str, as_of: int) -> float:
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        warehouse.ask(sql, as_of=as_of)
        took.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(took)


if __name__ == "__main__":
    main()
