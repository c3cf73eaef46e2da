"""The log as Parquet: writing a stretch of it to one file, and filling a warehouse's file from such files.

A file holds whole events: the bytes as they lie in the log, the subject, the position and the time of recording, from
which everything else can be computed again. Beside them stand the columns of the view ``log``, so that any engine can
query the files as they are. What is broken in a body is null in those columns and still there in ``body``.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path

import duckdb

from events import RecountError, Stored
from events.stretch import Stretch
from projections.lens import main_schema
from projections.log_tables import PARSE, take_in
from projections.manifest import COLUMNS, PART_EVENTS, BrokenExport, Manifest, Part, check_parts
from projections.raw import RAW, raw_events
from projections.schema import SCHEMA_VERSION, create_tables
from projections.statement import first_line
from projections.storage import transaction

# Files that are loaded in one transaction: enough that every thread has some, few enough to tell progress by.
PARTS_AT_ONCE = 8

MEMORY_LIMIT = "2GB"

Progress = Callable[[int, int], None]
"""Told how many events are done, of how many."""


class NotLoaded(RecountError):
    """A warehouse file could not be filled."""

    hint = "Delete the file and try again; the export itself was not changed."


def month_of(stored: Stored) -> str:
    """The partition of an event, such as ``2026-03``: the month in which it was recorded, UTC."""
    return stored.recorded_at.astimezone(UTC).strftime("%Y-%m")


def one_part(batch: Sequence[Stored]) -> Sequence[Stored]:
    """As much of a batch, from its beginning, as goes into one file: events of one month."""
    month = month_of(batch[0])
    length = next((number for number, stored in enumerate(batch) if month_of(stored) != month), len(batch))
    return batch[: min(length, PART_EVENTS)]


def write_part(path: Path, batch: Sequence[Stored]) -> None:
    """Write events, all of one month and at most `PART_EVENTS`, to a new file, in the order of the log."""
    with _instance() as instance, raw_events(instance, [Stretch.of(batch)]):
        listed = ", ".join(name for name in COLUMNS if name != "month")
        instance.execute(
            f"copy (with parsed as ({PARSE}) "
            f"select {listed} from parsed join (select seq, subject, body from {RAW}) as sent using (seq) "
            f"order by seq) "
            f"to {_text(path)} (format parquet, compression zstd, row_group_size {PART_EVENTS})"
        )


def fill_from_parquet(
    file: Path, folder: Path, manifest: Manifest, progress: Progress = lambda _done, _total: None
) -> None:
    """Copy an export into a warehouse's file, which `projections.warehouse.Warehouse.open` then completes.

    What the file already holds stays: filling that was interrupted goes on from where it stood.

    Args:
        file: of the warehouse; made when there is none. Nobody else may have it open.
        folder: where the export lies.
        manifest: what it says of itself.
        progress: told how many events are copied, of how many.

    Raises:
        BrokenExport: a file is missing, changed, or does not hold what the manifest says; names it.
        NotLoaded: the file cannot be written, or holds another version.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _instance(file) as instance:
            position = _begin(instance, file)
            if position:
                _check_same_log(instance, file, folder, manifest, position)
            left = [part for part in manifest.parts if part.last > position]
            progress(position, manifest.last)
            for number in range(0, len(left), PARTS_AT_ONCE):
                parts = left[number : number + PARTS_AT_ONCE]
                check_parts(folder, parts)
                _load(instance, folder, parts, position)
                position = parts[-1].last
                progress(position, manifest.last)
    except duckdb.Error as error:
        raise NotLoaded(f"{file} could not be filled: {first_line(error)}") from error


def _begin(instance: duckdb.DuckDBPyConnection, file: Path) -> int:
    create_tables(instance)
    state = instance.execute("select schema_version, position from warehouse_state").fetchone()
    if state is None:
        instance.execute("insert into warehouse_state values (?, '', 0, 0)", [SCHEMA_VERSION])
        return 0
    if state[0] != SCHEMA_VERSION:
        raise NotLoaded(f"{file} has schema version {state[0]}, this program {SCHEMA_VERSION}")
    return int(state[1])


def _check_same_log(
    instance: duckdb.DuckDBPyConnection, file: Path, folder: Path, manifest: Manifest, position: int
) -> None:
    """What a file already holds must be of the log that was exported."""
    ours = instance.execute("select stream, recorded_at from log_rows where seq = ?", [position]).fetchall()
    part = next((part for part in manifest.parts if part.first <= position <= part.last), None)
    theirs = (
        part
        and instance.execute(
            f"select stream, recorded_at from read_parquet({_text(folder / part.path)}) where seq = ?", [position]
        ).fetchall()
    )
    if ours != theirs:
        raise NotLoaded(f"{file} already holds {position} events of something else than {folder}")


def _load(instance: duckdb.DuckDBPyConnection, folder: Path, parts: Sequence[Part], position: int) -> None:
    files = ", ".join(_text(folder / part.path) for part in parts)
    with transaction(instance):
        instance.execute(
            f"create or replace temp view {RAW} as select seq, subject, epoch_us(recorded_at) as recorded_us, body "
            f"from read_parquet([{files}]) where seq > {position:d}"
        )
        take_in(instance, main_schema(instance))
        first, last = max(parts[0].first, position + 1), parts[-1].last
        found = instance.execute(
            "select count(*), count(distinct seq), min(seq), max(seq) from log_rows where seq > ?", [position]
        ).fetchone()
        if found != (last - first + 1, last - first + 1, first, last):
            names = ", ".join(part.path for part in parts)
            raise BrokenExport(
                f"{names} should hold each position from {first} to {last} once, and hold (rows, positions, first, "
                f"last) {found}"
            )
        instance.execute("update warehouse_state set position = ?", [last])


def _instance(file: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An instance for Recount's own statements: unlike the one that answers questions, it may use files."""
    instance = duckdb.connect(str(file) if file else ":memory:", config={"memory_limit": MEMORY_LIMIT})
    instance.execute("load icu")
    instance.execute("set TimeZone = 'UTC'")
    instance.execute("set python_enable_replacements = false")
    return instance


def _text(value: Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"
