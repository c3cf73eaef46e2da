"""How fast history leaves and comes back: the log as Parquet, a warehouse out of that, and the snapshot file.

Run: ``.venv/bin/python benchmarks/bench_history.py [--events 1000000]``. Beside it, in the same run: DuckDB alone
counting the exported rows by type, which reads one column of the same files.
"""

import argparse
import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.synthetic import filled_warehouse, synthetic_log  # noqa: E402  the root is no package
from projections.manifest import PART_EVENTS, Manifest, Part, part_path  # noqa: E402
from projections.parquet import fill_from_parquet, month_of, one_part, write_part  # noqa: E402
from projections.warehouse import Warehouse  # noqa: E402

NEWS = 1_000
MIB = 1 << 20


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="length of the log")
    events = parser.parse_args().events
    print("| what | events | seconds | events/s | MiB |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        measure_parquet(Path(folder), events)
    with tempfile.TemporaryDirectory() as folder:
        measure_snapshot(Path(folder), events)
    print(f"\nMemory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def measure_parquet(folder: Path, events: int) -> None:
    """Write an export, and build a warehouse out of it."""
    log, parts, raw, writing = synthetic_log(events), [], 0, 0.0
    while stretch := list(islice(log, PART_EVENTS)):
        raw += sum(len(stored.body) for stored in stretch)
        while stretch:
            batch = one_part(stretch)
            stretch = stretch[len(batch) :]
            path = folder / part_path(month_of(batch[0]), batch[0].seq, batch[-1].seq)
            path.parent.mkdir(exist_ok=True)
            writing += seconds(lambda path=path, batch=batch: write_part(path, batch))  # type: ignore[misc]  # bound now
            parts.append(_part(folder, path, batch[0].seq, batch[-1].seq))
    size = sum(part.bytes for part in parts)
    row(f"export: Parquet out of the events as they come, {raw // MIB:,} MiB of them", events, writing, size)
    manifest = Manifest(log="").with_parts(*parts)
    file = folder / "recount.duckdb"
    row("rebuild from Parquet: copying the log", events, seconds(lambda: fill_from_parquet(file, folder, manifest)))
    row("rebuild from Parquet: every projection", events, seconds(lambda: Warehouse.open(file).close()), _size(file))
    files = f"read_parquet('{folder}/month=*/*.parquet')"
    row("DuckDB alone: counting the files by type", events, seconds(lambda: _count(f"from {files}")))


def measure_snapshot(folder: Path, events: int) -> None:
    """Write a snapshot from nothing, then again after some news; and apply while that happens."""
    log = synthetic_log(events + NEWS)
    with filled_warehouse(folder / "recount.duckdb", log, events) as warehouse:

        def write() -> None:
            warehouse.write_snapshot(names=False, moment=datetime.now(UTC))

        row("snapshot, from nothing", events, seconds(write), _size(folder / "snapshot.duckdb"))
        warehouse.apply(list(log))
        row(f"snapshot, {NEWS:,} events later", NEWS, seconds(write), _size(folder / "snapshot.duckdb"))


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def row(what: str, events: int, took: float, size: int | None = None) -> None:
    """Print one line of the table."""
    shown = "" if size is None else f"{size / MIB:,.0f}"
    print(f"| {what} | {events:,} | {took:.2f} | {events / took:,.0f} | {shown} |", flush=True)


def _part(folder: Path, path: Path, first: int, last: int) -> Part:
    content = path.read_bytes()
    return Part(
        path=path.relative_to(folder).as_posix(),
        first=first,
        last=last,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _count(rows: str) -> None:
    with duckdb.connect() as alone:
        alone.execute(f"select type, count(*) {rows} group by type").fetchall()


def _size(path: Path) -> int:
    return path.stat().st_size


if __name__ == "__main__":
    main()
