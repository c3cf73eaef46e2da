"""An answer as a file for other programs: an Arrow IPC stream, or Parquet; batch by batch, no row passes Python.

DuckDB hands its batches out over Arrow's C stream, nanoarrow writes them in the IPC format. The warehouse's own
instance may not touch a file, and never needs to: Parquet is written by another instance, in memory, which sees nothing
but the Arrow file.

Types that the Arrow format has no match for in every reader arrive as text: VARIANT as JSON, an ENUM as its name; an
integer beyond 64 bits arrives as a decimal. Two columns of one name are told apart by a number, as ``a`` and ``a_1``.
"""

from pathlib import Path
from typing import Literal

import duckdb
import msgspec
import nanoarrow
from nanoarrow.c_array_stream import CArrayStream
from nanoarrow.ipc import StreamWriter

from projections.query import Limits, QueryRefused, refusals, stopped_after

FileFormat = Literal["arrow", "parquet"]

# A file is read by programs, so it may hold far more than a screen; beyond a million rows `recount export` is the way.
FOR_FILES = Limits(seconds=60, rows=1_000_000, cells_bytes=512 << 20)
"""For SQL of people whose answer is a file; the bytes are those of the Arrow file."""

# The instance that writes Parquet holds one row group and its compressed pages at a time.
_PARQUET_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "256MB",
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Written(msgspec.Struct, frozen=True):
    """What a file holds."""

    rows: int
    truncated: bool
    """Whether there was more than the limits allow."""


def write_arrow(cursor: duckdb.DuckDBPyConnection, sql: str, limits: Limits, path: Path) -> Written:
    """Answer a person's SQL that `projections.query.check` let pass into an Arrow IPC stream.

    Raises:
        QueryRefused: it is wrong, would change something, took too long, or needed too much memory.
    """
    cursor.execute("begin transaction read only")
    try:
        with stopped_after(cursor, limits.seconds) as expired, refusals(sql):
            try:
                return _write_batches(_readable(cursor.query(sql)).limit(limits.rows + 1), limits, path)
            # An error after the first batch comes out of Arrow's stream, which knows only its text.
            except (duckdb.InterruptException, RuntimeError) as error:
                if not expired.is_set():
                    raise _told(error) from error
                message = f"the query was stopped after {limits.seconds:g} s"
                raise QueryRefused(message, hint="Narrow it with WHERE or LIMIT.", kind="too_slow") from error
    finally:
        cursor.rollback()


def as_parquet(arrow: Path, parquet: Path) -> None:
    """Write the same rows once more, as Parquet."""
    with duckdb.connect(config=_PARQUET_SETTINGS) as writer:
        rows = writer.from_arrow(nanoarrow.ArrayStream.from_path(arrow))
        rows.to_parquet(str(parquet), compression="zstd")


def _readable(rows: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    casts = [
        f"cast({_quoted(name)} as {'json' if kind == 'VARIANT' else 'varchar'}) as {_quoted(name)}"
        for name, kind in zip(rows.columns, map(str, rows.types), strict=True)
        if kind == "VARIANT" or kind.startswith("ENUM")
    ]
    return rows.project(f"* replace ({', '.join(casts)})") if casts else rows


def _write_batches(rows: duckdb.DuckDBPyRelation, limits: Limits, path: Path) -> Written:
    batches = nanoarrow.c_array_stream(rows)
    written, is_full = 0, False
    with path.open("wb") as file, StreamWriter.from_writable(file) as writer:
        # The schema by itself, because an answer without rows has no batch to carry it.
        writer.write_stream(CArrayStream.from_c_arrays([], batches.get_schema()))
        for batch in batches:
            room = limits.rows - written
            if is_full or not room:
                return Written(written, truncated=True)
            writer.write_array(batch[:room] if len(batch) > room else batch)
            written += min(len(batch), room)
            if len(batch) > room:
                return Written(written, truncated=True)
            is_full = file.tell() > limits.cells_bytes
    return Written(written, truncated=False)


def _told(error: Exception) -> duckdb.Error:
    if isinstance(error, duckdb.Error):
        return error
    text = str(error)
    for words, kind in (("INTERRUPT", duckdb.InterruptException), ("Out of Memory", duckdb.OutOfMemoryException)):
        if words in text:
            return kind(text)
    return duckdb.Error(text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
