"""How a warehouse lies in its file: opening it locked down, adding events, defining views, filling tables."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from events import RecountError
from projections.catalog import Catalog
from projections.comments import comment_on, comment_on_all, of_projection
from projections.log_tables import TABLES, create_log_tables, read_facts_anew
from projections.schema import attach_people
from projections.snapshot import files_written
from projections.statement import first_line

IN_MEMORY = Path(":memory:")

_CORRUPT = re.compile(r"([A-Za-z ]+: )?corrupt (database|wal)\b", re.IGNORECASE)

# Spilled intermediate results of all queries together; beyond it a query fails instead of filling the disk.
SPILL_MAX = "4GB"

OWN_TABLES = (*TABLES, "people", "warehouse_state")
"""Tables, and the view `people`, that are not projections."""

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


class UnusableWarehouse(RecountError):
    """The file is damaged, or of another version. Nothing is lost: everything in it comes from the log."""

    hint = "`recount rebuild` builds it again from the log."


class WarehouseInUse(RecountError):
    """Another process has the file open."""

    hint = "Only the readers process may open it; ask it over HTTP: `recount sql`."


def connect(path: Path, *, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open the file and take from the whole instance whatever no question may do.

    Recount needs none of it either, but for one other file: the snapshot that it writes beside.

    Raises:
        UnusableWarehouse: the file is damaged or not a warehouse.
        WarehouseInUse: another process has it open.
    """
    if path != IN_MEMORY:
        path.parent.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {"threads": threads, "memory_limit": memory_limit}
    try:
        root = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        if "Could not set lock" in str(error):
            raise WarehouseInUse(f"{path} is open in another process") from error
        raise UnusableWarehouse(f"{path} cannot be opened: {first_line(error)}") from error
    # Built into the Python package; the setting TimeZone needs it.
    root.execute("load icu")
    root.execute("set global TimeZone = 'UTC'")
    root.execute(f"set global max_temp_directory_size = '{SPILL_MAX}'")
    attach_people(root)
    # A name in a FROM must never mean a variable of this program.
    root.execute("set global python_enable_replacements = false")
    root.execute("set global autoinstall_known_extensions = false")
    root.execute("set global autoload_known_extensions = false")
    root.execute("set global allow_community_extensions = false")
    if path != IN_MEMORY:
        root.execute(f"set global allowed_paths = {_listed(files_written(path))}")
    root.execute("set global enable_external_access = false")
    root.execute("set global lock_configuration = true")
    return root


def is_damage(error: duckdb.Error) -> bool:
    """Whether an error says that the file itself is damaged, so that nothing else will ever come of it."""
    # A block that does not have its checksum is no class of its own.
    is_fatal = isinstance(error, duckdb.FatalException | duckdb.InternalException | duckdb.SerializationException)
    return is_fatal or _CORRUPT.match(str(error)) is not None


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def define(connection: duckdb.DuckDBPyConnection, catalog: Catalog, *, keep: frozenset[str] = frozenset()) -> None:
    """Drop every view and projection, and create those of a catalog: empty, besides the tables to keep."""
    existing = connection.execute(
        "select table_name, table_type from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main'"
    ).fetchall()
    for name, kind in existing:
        if name not in OWN_TABLES and (kind == "VIEW" or name not in keep):
            connection.execute(f'drop {"view" if kind == "VIEW" else "table"} "{name}"')
    read_facts_anew(connection)
    create_log_tables(connection)
    for typed in catalog.typed:
        connection.execute(f'create view "{typed.name}" as {typed.sql}')
    for view in catalog.views:
        if view.name in keep:
            continue
        if view.stored:
            connection.execute(f'create table "{view.name}" as {view.sql}\nlimit 0')
        else:
            connection.execute(f'create view "{view.name}" as {view.sql}')
    comment_on_all(connection, catalog)


def compute_all(connection: duckdb.DuckDBPyConnection, catalog: Catalog, progress: Progress | None = None) -> None:
    """The lens *everything*: each stored projection from the whole log, set at a time."""
    for done, view in enumerate(catalog.stored, 1):
        connection.execute(f'create or replace table "{view.name}" as {view.sql}')
        comment_on(connection, [of_projection(view)])
        if progress is not None:
            progress(done, len(catalog.stored))
    connection.execute("update warehouse_state set projected_position = position")


def _listed(texts: Sequence[str]) -> str:
    return "[" + ", ".join("'" + text.replace("'", "''") + "'" for text in texts) + "]"
