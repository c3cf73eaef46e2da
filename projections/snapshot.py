"""The snapshot: a second DuckDB file with everything that the warehouse shows, at one position, for any DuckDB tool.

DuckDB locks its file, so no other program can open the warehouse while Recount runs; it can open this. It holds the
copy of the log, every stored projection as a table and everything else as a view. Writing it is reading for the
warehouse: the writer goes on meanwhile. The new file takes the place of the old one in one step, so that whoever has
the old one open keeps reading that.

It begins with a copy of the former snapshot, which needs only the events since then, and what they took back. Names of
people are left out, unless asked for: what DuckDB deletes stays readable in a file. With names it is written from
nothing every time, so that it holds no name that was erased before.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from events import RecountError
from projections.catalog import Catalog
from projections.comments import comment_on_all
from projections.files import files_of, remove
from projections.log_tables import ALL, TABLES, all_rows_sql
from projections.schema import PEOPLE_DATABASE, SCHEMA_VERSION
from projections.statement import first_line

FILE_NAME = "snapshot.duckdb"
_WRITING = "snapshot.writing.duckdb"
_DATABASE = "recount_snapshot"

# What must stay free on the disk beside the new file: the log goes on being written there.
FREE_BYTES_MIN = 256 << 20

INFO_TABLE = """
create or replace table snapshot_info (
    position bigint,
    recorded_at timestamp,
    written_at timestamp,
    has_names boolean,
    format integer
)"""
"""One row: the last log position in the snapshot and when that was recorded; when the snapshot was written; whether
`people` has names."""

FORMAT = 1

_NOTHING = "cast(null as varchar) as {}"


class SnapshotRefused(RecountError):
    """The snapshot could not be written; the former one, if any, is as it was."""


class SnapshotInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself."""

    position: int
    recorded_at: datetime | None
    """When the event at the position was recorded, UTC; None for an empty log."""
    written_at: datetime
    """UTC."""
    has_names: bool
    bytes: int


def snapshot_paths(warehouse: Path) -> tuple[Path, Path]:
    """Where the snapshot of a warehouse lies, and where the next one is written."""
    return warehouse.with_name(FILE_NAME), warehouse.with_name(_WRITING)


def files_written(warehouse: Path) -> list[str]:
    """Every path that writing a snapshot touches inside the engine, which may use no other file."""
    _target, writing = snapshot_paths(warehouse.absolute())
    return [str(file) for file in files_of(writing)]


def read_snapshot(path: Path) -> SnapshotInfo | None:
    """What the snapshot at a path says of itself; None when there is none that can be read."""
    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as snapshot:
            row = snapshot.execute("select position, recorded_at, written_at, has_names from snapshot_info").fetchone()
        return _info(row, path) if row else None
    except (duckdb.Error, FileNotFoundError):  # it may be taken away meanwhile, with an erased name
        return None


def write_snapshot(
    cursor: duckdb.DuckDBPyConnection, catalog: Catalog, warehouse: Path, *, names: bool, moment: datetime
) -> SnapshotInfo:
    """Write the snapshot of a warehouse, all of it at the position that the cursor sees now.

    Args:
        cursor: of its own, and of the warehouse's instance.
        catalog: the definitions that the warehouse answers by.
        warehouse: its file.
        names: whether handles and names of people go in.
        moment: the present time.

    Raises:
        SnapshotRefused: there is no room, or it cannot be written.
    """
    target, writing = snapshot_paths(warehouse.absolute())
    remove(files_of(writing))
    _check_room(warehouse)
    try:
        _begin(cursor, target, writing, anew=names)
        _fill(cursor, catalog, names=names, moment=moment)
        cursor.execute(f"use {_live(cursor)}")
        cursor.execute(f"detach {_DATABASE}")
    except (duckdb.Error, OSError) as error:
        _abandon(cursor, writing)
        raise SnapshotRefused(
            f"{target} could not be written: {first_line(error)}", hint="The former snapshot is as it was."
        ) from error
    except BaseException:
        _abandon(cursor, writing)
        raise
    _sync(writing)
    writing.replace(target)
    info = read_snapshot(target)
    assert info is not None
    return info


def _begin(cursor: duckdb.DuckDBPyConnection, target: Path, writing: Path, *, anew: bool) -> None:
    """Attach the file to fill, with as much in it as can be kept of the former one."""
    if not anew and target.exists():
        shutil.copyfile(target, writing)
        if _attach(cursor, writing) and _can_be_continued(cursor):
            return
        cursor.execute(f"detach database if exists {_DATABASE}")
        remove(files_of(writing))
    cursor.execute(f"attach '{_quoted(writing)}' as {_DATABASE}")


def _attach(cursor: duckdb.DuckDBPyConnection, writing: Path) -> bool:
    """Attach what may be no database; False when it is none."""
    try:
        cursor.execute(f"attach '{_quoted(writing)}' as {_DATABASE}")
    except duckdb.Error:
        return False
    return True


def _can_be_continued(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether a former snapshot has the same tables, no names, and the beginning of the same log."""
    live = _live(cursor)
    try:
        row = cursor.execute(
            f"select info.position, info.has_names, info.format, state.schema_version "
            f"from {_DATABASE}.main.snapshot_info as info, {_DATABASE}.main.warehouse_state as state"
        ).fetchone()
        if row is None or row[1:] != (False, FORMAT, SCHEMA_VERSION):
            return False
        shapes = [_shapes(cursor, each) for each in (live, f'"{_DATABASE}"')]
        ends = [
            cursor.execute(f"select stream, recorded_at from {each}.main.log_rows where seq = ?", [row[0]]).fetchall()
            for each in (live, _DATABASE)
        ]
    except duckdb.Error:
        return False
    return shapes[0] == shapes[1] and ends[0] == ends[1] and bool(ends[0])


def _fill(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, *, names: bool, moment: datetime) -> None:
    live = _live(cursor)
    cursor.begin()
    try:
        _copy_log(cursor, live)
        cursor.execute(f"use {_DATABASE}")
        _drop_all_but_the_log(cursor)
        for name in ("warehouse_state", *(view.name for view in catalog.stored)):
            cursor.execute(f'create table "{name}" as from {live}.main."{name}"')
        hidden = "" if names else f"replace ({', '.join(map(_NOTHING.format, ('handle', 'name', 'zone')))})"
        cursor.execute(f"create table people as select * {hidden} from {PEOPLE_DATABASE}.main.people")
        cursor.execute(f"create view {ALL} as {all_rows_sql()}")
        for typed in catalog.typed:
            cursor.execute(f'create view "{typed.name}" as {typed.sql}')
        for view in catalog.views:
            if not view.stored:
                cursor.execute(f'create view "{view.name}" as {view.sql}')
        comment_on_all(cursor, catalog)
        cursor.execute(INFO_TABLE)
        cursor.execute(
            "insert into snapshot_info select position, "
            "(select max(recorded_at) from log_rows where seq = position), ?, ?, ? from warehouse_state",
            [moment.astimezone(UTC).replace(tzinfo=None), names, FORMAT],
        )
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()


def _copy_log(cursor: duckdb.DuckDBPyConnection, live: str) -> None:
    """Bring the tables of the log, in the file to fill, from its position to the present one."""
    position = _kept_position(cursor)
    for table in TABLES:
        kept, now = f"{_DATABASE}.main.{table}", f"{live}.main.{table}"
        if position == 0:
            cursor.execute(f"create table {kept} as from {now}")
            continue
        cursor.execute(f"insert into {kept} from {now} where seq > {position:d} order by type, seq")
        cursor.execute(
            f"update {kept} as kept set retracted_by_seq = now.retracted_by_seq from {now} as now "
            f"where now.retracted_by_seq > {position:d} and now.seq = kept.seq and now.seq <= {position:d}"
        )


def _kept_position(cursor: duckdb.DuckDBPyConnection) -> int:
    """The position of the former snapshot that the file to fill began with; 0 when it is empty."""
    tables = cursor.execute(f"select count(*) from duckdb_tables() where database_name = '{_DATABASE}'").fetchone()
    if tables == (0,):
        return 0
    (position,) = cursor.execute(f"select position from {_DATABASE}.main.snapshot_info").fetchone() or (0,)
    return int(position)


def _shapes(cursor: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str, str]]:
    listed = ", ".join(f"'{table}'" for table in TABLES)
    shapes: list[tuple[str, str, str]] = cursor.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        f"where '\"' || database_name || '\"' = ? and table_name in ({listed}) order by table_name, column_index",
        [database],
    ).fetchall()
    return shapes


def _drop_all_but_the_log(cursor: duckdb.DuckDBPyConnection) -> None:
    rows = cursor.execute(
        "select table_name, case table_type when 'VIEW' then 'view' else 'table' end from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main'"
    ).fetchall()
    for name, kind in rows:
        if name not in TABLES:
            cursor.execute(f'drop {kind} "{name}"')


def _check_room(warehouse: Path) -> None:
    needed = warehouse.stat().st_size + FREE_BYTES_MIN
    free = shutil.disk_usage(warehouse.parent).free
    if free < needed:
        raise SnapshotRefused(
            f"there is no room for a snapshot: {free >> 20:,} MiB are free, it needs up to {needed >> 20:,} MiB",
            hint='Free some space, or set `every = "off"` in [snapshot]; the log needs what is left.',
        )


def _abandon(cursor: duckdb.DuckDBPyConnection, writing: Path) -> None:
    try:
        cursor.execute(f"use {_live(cursor)}")
        cursor.execute(f"detach database if exists {_DATABASE}")
    except duckdb.Error:
        pass  # an instance that is damaged or being closed refuses this, and goes away with the file
    remove(files_of(writing))


def _live(cursor: duckdb.DuckDBPyConnection) -> str:
    row = cursor.execute(
        "select database_name from duckdb_databases() "
        f"where not internal and path is not null and database_name <> '{_DATABASE}'"
    ).fetchone()
    assert row is not None
    return f'"{row[0]}"'


def _info(row: tuple[int, datetime | None, datetime, bool], path: Path) -> SnapshotInfo:
    position, recorded_at, written_at, has_names = row
    return SnapshotInfo(
        position=position,
        recorded_at=recorded_at and recorded_at.replace(tzinfo=UTC),
        written_at=written_at.replace(tzinfo=UTC),
        has_names=has_names,
        bytes=path.stat().st_size,
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
