"""What an upgrade would change, before anything changes: the definitions of this version beside those that a file was
computed by, over the log in that file, which is only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from events import RecountError
from projections.catalog import Catalog, View, read_catalog
from projections.definitions import changed, decode_definitions
from projections.fact_columns import json_shape
from projections.log_tables import ALL, OTHER, TABLES, all_rows_sql
from projections.schema import SCHEMA_VERSION, attach_people
from projections.statement import first_line

MEMORY_LIMIT = "2GB"
# Enough to see what kind of change it is; of figures every one is shown.
EXAMPLES_MAX = 5
FIGURES = frozenset({"metric_summary"})
FIGURES_MAX = 1_000

_FILE, _BEFORE, _AFTER = "recount_file", "recount_before", "recount_after"


class PreviewImpossible(RecountError):
    """A file cannot be compared with the definitions of this version."""

    hint = "`recount rebuild --from-parquet FOLDER --into FILE` computes an export by this version, to compare by hand."


class RowChange(msgspec.Struct, frozen=True, kw_only=True):
    """A row that would be another one."""

    key: dict[str, Any]
    before: dict[str, Any] | None
    """The columns that differ, as they are; None when the row would be new."""
    after: dict[str, Any] | None
    """The same as they would be; None when the row would go."""


class ViewChange(msgspec.Struct, frozen=True, kw_only=True):
    """What would change in one view."""

    view: str
    rows_before: int | None
    """None when the view is new."""
    rows_after: int | None
    """None when the view goes."""
    differing: int
    """Rows of one key that say something else."""
    new: int
    gone: int
    columns_new: tuple[str, ...] = ()
    columns_gone: tuple[str, ...] = ()
    examples: tuple[RowChange, ...] = ()
    """Some of those rows, in the order of their keys; of figures all."""

    @property
    def is_visible(self) -> bool:
        """Whether anybody who asks it would see something else."""
        return bool(self.differing or self.new or self.gone or self.columns_new or self.columns_gone) or None in (
            self.rows_before,
            self.rows_after,
        )


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an upgrade would change."""

    position: int
    """The log position that both are computed at."""
    changes: tuple[ViewChange, ...]
    """Every view with another definition, or that reads one, also those whose rows would stay the same."""


def preview(file: Path, newest: Catalog | None = None) -> Preview:
    """Compare a file's views with those of a version.

    Args:
        file: a warehouse that nobody has open, or a snapshot.
        newest: the definitions; those of this program when left out.

    Raises:
        PreviewImpossible: it is open elsewhere, damaged, or its tables are those of another version.
    """
    newest = newest or read_catalog()
    try:
        with _opened(file) as instance:
            position, kept = _state(instance, file)
            names = changed(kept, newest)
            former = {view.name: view for view in kept.views}
            _answer_before(instance, [name for name in names if name in former])
            _answer_after(instance, newest, names)
            changes = [_compare(instance, view, former.get(view.name)) for view in newest.views if view.name in names]
            gone = [view for view in kept.views if view.name not in {view.name for view in newest.views}]
            changes += [_gone(instance, view) for view in gone]
    except duckdb.Error as error:
        if "lock" in str(error):
            raise PreviewImpossible(
                f"{file} is open in another process", hint="Name the snapshot instead: recount snapshot --now"
            ) from error
        raise PreviewImpossible(f"{file} cannot be compared: {first_line(error)}") from error
    return Preview(position=position, changes=tuple(changes))


@contextmanager
def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT}) as instance:
        instance.execute("load icu")
        instance.execute("set global TimeZone = 'UTC'")
        instance.execute("set global python_enable_replacements = false")
        attach_people(instance)
        quoted = str(file).replace("'", "''")
        instance.execute(f"attach '{quoted}' as {_FILE} (read_only)")
        for name in (_BEFORE, _AFTER):
            instance.execute(f"attach ':memory:' as {name}")
        instance.execute(f"use {_FILE}")
        yield instance


def _state(instance: duckdb.DuckDBPyConnection, file: Path) -> tuple[int, Catalog]:
    row = instance.execute("select schema_version, definitions, position from warehouse_state").fetchone()
    if row is None:
        raise PreviewImpossible(f"{file} is empty")
    version, definitions, position = row
    if version != SCHEMA_VERSION:
        raise PreviewImpossible(
            f"the tables of {file} are of schema version {version}, those of this program {SCHEMA_VERSION}"
        )
    kept = decode_definitions(definitions)
    if kept is None:
        raise PreviewImpossible(f"{file} does not say by which definitions it was computed")
    return int(position), kept


def _answer_before(instance: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    for name in names:
        instance.execute(f'create table {_BEFORE}.main."{name}" as from "{name}"')


def _answer_after(instance: duckdb.DuckDBPyConnection, newest: Catalog, names: tuple[str, ...]) -> None:
    with instance.cursor() as cursor:
        cursor.execute(f"use {_FILE}")
        _see_log_by_this_version(cursor)
        for typed in newest.typed:
            cursor.execute(f'create temp view "{typed.name}" as {typed.sql}')
        for view in newest.views:
            if view.name in names or not view.stored:
                kind = "table" if view.stored else "view"
                cursor.execute(f'create temp {kind} "{view.name}" as {view.sql}')
        for name in names:
            cursor.execute(f'create table {_AFTER}.main."{name}" as from "{name}"')


def _see_log_by_this_version(cursor: duckdb.DuckDBPyConnection) -> None:
    """Shadow the tables of the log by ones with the fields of this version's facts."""
    there = {name for (name,) in cursor.execute("select table_name from duckdb_tables()").fetchall()}
    for table in TABLES:
        if table == OTHER:
            continue
        category = table.removesuffix("_rows")
        fact = f"json_transform(data, {json_shape(category)}) as fact"
        if table in there:
            rows = f"select * replace ({fact}) from {_FILE}.main.{table}"
        else:
            rows = f"select * exclude (category), {fact} from {_FILE}.main.{OTHER} where category = '{category}'"
        cursor.execute(f"create temp view {table} as {rows}")
    cursor.execute(f"create temp view {ALL} as {all_rows_sql()}")


def _compare(instance: duckdb.DuckDBPyConnection, view: View, former: View | None) -> ViewChange:
    after = f'{_AFTER}.main."{view.name}"'
    rows_after = _count(instance, after)
    if former is None:
        return ViewChange(view=view.name, rows_before=None, rows_after=rows_after, differing=0, new=rows_after, gone=0)
    before = f'{_BEFORE}.main."{view.name}"'
    had, has = [column.name for column in former.columns], [column.name for column in view.columns]
    both = [name for name in has if name in had]
    rows_before = _count(instance, before)
    change = ViewChange(
        view=view.name,
        rows_before=rows_before,
        rows_after=rows_after,
        differing=0,
        new=0,
        gone=0,
        columns_new=tuple(name for name in has if name not in had),
        columns_gone=tuple(name for name in had if name not in has),
    )
    if not set(view.key) <= set(both):  # what tells rows apart is another thing now
        return msgspec.structs.replace(change, new=rows_after, gone=rows_before)
    join = " and ".join(f'b."{name}" is not distinct from a."{name}"' for name in view.key)
    differs = " or ".join(f'b."{name}" is distinct from a."{name}"' for name in both if name not in view.key) or "false"
    pairs = (
        f"(select true as is_there, * from {before}) as b "
        f"full join (select true as is_there, * from {after}) as a on {join}"
    )
    counts = instance.execute(
        f"select count(*) filter (b.is_there and a.is_there and ({differs})), "
        f"count(*) filter (b.is_there is null), count(*) filter (a.is_there is null) from {pairs}"
    ).fetchone()
    assert counts is not None
    return msgspec.structs.replace(
        change,
        differing=counts[0],
        new=counts[1],
        gone=counts[2],
        examples=tuple(_examples(instance, view, both, pairs, differs)) if any(counts) else (),
    )


def _examples(
    instance: duckdb.DuckDBPyConnection, view: View, columns: list[str], pairs: str, differs: str
) -> Iterator[RowChange]:
    listed = ", ".join(f'b."{name}", a."{name}"' for name in columns)
    order = ", ".join(f'coalesce(b."{name}", a."{name}")' for name in view.key)
    found = instance.execute(
        f"select b.is_there, a.is_there, {listed} from {pairs} "
        f"where b.is_there is null or a.is_there is null or {differs} "
        f"order by {order} limit {FIGURES_MAX if view.name in FIGURES else EXAMPLES_MAX}"
    ).fetchall()
    for was, will_be, *values in found:
        before = dict(zip(columns, values[::2], strict=True))
        after = dict(zip(columns, values[1::2], strict=True))
        key = {name: (before if was else after)[name] for name in view.key}
        shown = [name for name in columns if name not in view.key and before[name] != after[name]]
        yield RowChange(
            key=key,
            before={name: before[name] for name in shown} if was else None,
            after={name: after[name] for name in shown} if will_be else None,
        )


def _gone(instance: duckdb.DuckDBPyConnection, view: View) -> ViewChange:
    rows = _count(instance, f'"{view.name}"')
    return ViewChange(view=view.name, rows_before=rows, rows_after=None, differing=0, new=0, gone=rows)


def _count(instance: duckdb.DuckDBPyConnection, rows: str) -> int:
    (count,) = instance.execute(f"select count(*) from {rows}").fetchone() or (0,)
    return int(count)
