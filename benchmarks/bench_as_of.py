"""How long the past takes: each view as of the middle of a log of ten thousand, of a million and of ten million events.

Run: ``.venv/bin/python benchmarks/bench_as_of.py [--events 10000 1000000 10000000]``. The limit beside it, in the same
run: one scan of raw DuckDB over the same half of the log that takes a few columns of every event.
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

LENGTHS = (10_000, 1_000_000, 10_000_000)
ROUNDS = 5
LIMIT = "select count(*), count(actor), count(happened_at), max(stream_id) from log_rows"
ONE = {
    "one incident": "select * from incidents where incident_id = '{incident}'",
    "one incident's timeline": "select * from incident_timeline where incident_id = '{incident}'",
    "one incident's milestones": "select * from incident_milestones where incident_id = '{incident}'",
}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=LENGTHS, help="lengths of the logs")
    columns = {length: measure(length) for length in sorted(parser.parse_args().events)}
    print(f"| as of the middle: ms | {' | '.join(f'{length:,} events' for length in columns)} | times a raw scan |")
    print("|---|" + "---:|" * (len(columns) + 1))
    longest = columns[max(columns)]
    for what, ms in longest.items():
        each = " | ".join(f"{column[what]:.1f}" for column in columns.values())
        print(f"| {what} | {each} | {ms / longest['one raw scan']:.1f} |")


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
        # Every value of every row is computed and hashed in the engine: what is measured is the fold, and neither
        # Python's rows nor their text, of which a million take longer to write than to compute.
        questions |= {
            view.name: f"select count(*), bit_xor(hash(t)) from {view.name} as t" for view in warehouse.views()
        }
        about = f"incident.{incident}"
        return {
            what: _median_ms(warehouse, sql, middle, about if what in ONE else "") for what, sql in questions.items()
        }


def _median_ms(warehouse: Warehouse, sql: str, as_of: int, about: str) -> float:
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        warehouse.ask(sql, as_of=as_of, about=about)
        took.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(took)


if __name__ == "__main__":
    main()
