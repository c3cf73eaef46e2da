"""How fast a BI tool takes half a million rows over the PostgreSQL wire, beside DuckDB's own fetch in the same run.

Run: ``.venv/bin/python benchmarks/bench_pgwire.py [--rows 500000]``. The server runs in this process, the client
(psycopg, whose C part decodes) in one of its own, as a BI tool would.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import filled_warehouse, synthetic_log  # noqa: E402  the root is no package
from projections.query import FOR_BI  # noqa: E402
from projections.warehouse import Warehouse  # noqa: E402
from tests.pgwire.serving import Serving, serve  # noqa: E402

ROWS = 500_000
QUESTION = "select seq, stream, type, happened_at, actor from history order by seq limit {rows}"
# Each takes everything and says how many rows there were. What is decoded differs: COPY gives text or CSV as it came.
WAYS = {
    "psycopg, text": "count = len(connection.execute(sql).fetchall())",
    "psycopg, binary": "count = len(connection.cursor(binary=True).execute(sql).fetchall())",
    "psycopg, named cursor of 10,000": """
with connection.transaction(), connection.cursor("c", binary=True) as cursor:
    cursor.itersize = 10_000
    cursor.execute(sql)
    count = sum(1 for _ in cursor)""",
    **{
        f"COPY, {form}": f"""
with connection.cursor() as cursor, cursor.copy(f"copy ({{sql}}) to stdout (format {form})") as copy:
    count = sum(1 for _ in copy) - {int(form == "binary")}"""
        for form in ("text", "csv", "binary")
    },
}
CLIENT = """
import sys, time
import psycopg
sql = sys.argv[2]
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    begin = time.perf_counter()
{way}
    print(count, time.perf_counter() - begin)
"""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="how many")
    rows = parser.parse_args().rows
    if rows > FOR_BI.rows:
        parser.error(f"at most {FOR_BI.rows:,} rows are answered")
    with (
        tempfile.TemporaryDirectory() as folder,
        filled_warehouse(Path(folder) / "recount.duckdb", synthetic_log(rows), rows) as warehouse,
    ):
        sql = QUESTION.format(rows=rows)
        before = _peak_mib()
        with serve(Path(folder), warehouse) as server:
            took = {name: _client_s(server, sql, way, rows) for name, way in WAYS.items()}
        grown = _peak_mib() - before
        # Afterwards: it holds every row at once, and would hide what the server needs.
        limit_s = _fetch_s(warehouse, sql)
    print(f"| {rows:,} rows of 5 columns | s | rows/s | times DuckDB's own fetch |")
    print("|---|---:|---:|---:|")
    for what, seconds in {"DuckDB's fetchall, in process": limit_s, **took}.items():
        print(f"| {what} | {seconds:.2f} | {rows / seconds:,.0f} | {seconds / limit_s:.1f} |")
    print(f"\nThe server's peak memory grew by {grown:.0f} MiB while it answered.")


def _fetch_s(warehouse: Warehouse, sql: str) -> float:
    begin = time.perf_counter()
    warehouse.ask(sql)
    return time.perf_counter() - begin


def _client_s(server: Serving, sql: str, way: str, rows: int) -> float:
    program = CLIENT.format(way=textwrap.indent(way.strip(), "    "))
    done = subprocess.run([sys.executable, "-c", program, server.dsn, sql], capture_output=True, text=True, check=True)
    count, seconds = done.stdout.split()
    if int(count) != rows:
        raise SystemExit(f"the client got {count} rows, not {rows}")
    return float(seconds)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
