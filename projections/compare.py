"""Comparing what is stored with what the log says: differing rows by name, and digests of whole views."""

import hashlib
from typing import Any

import duckdb
import msgspec

from projections.catalog import Catalog, View
from projections.lens import base, shadow

# More would tell nothing new: the projection is wrong, and a rebuild replaces it.
DIFFERENCES_PER_VIEW_MAX = 1_000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not what a rebuild would give."""

    projection: str
    key: dict[str, Any]
    stored: dict[str, Any] | None
    """The row as it lies in the table; None when it is missing there."""
    computed: dict[str, Any] | None
    """The row as the log gives it; None when there should be none."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that differ; every column when a row is missing."""
        stored, computed = self.stored or {}, self.computed or {}
        return tuple(name for name in stored or computed if stored.get(name) != computed.get(name))


def differences(cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> list[Difference]:
    """Compute every stored projection beside its table, from one snapshot, and name each row that differs."""
    tables = {view.name: base(cursor, view.name) for view in catalog.stored}
    # What is computed and what is stored must be of one moment.
    cursor.begin()
    try:
        # All at once, so that each is computed once although others read it.
        shadow(cursor, catalog, frozenset(view.name for view in catalog.views))
        return [found for view in catalog.stored for found in _differences_of(cursor, view, tables[view.name])]
    finally:
        cursor.rollback()


def _differences_of(cursor: duckdb.DuckDBPyConnection, view: View, table: str) -> list[Difference]:
    stored = _rows_without(cursor, view, table, f'"{view.name}"')
    computed = _rows_without(cursor, view, f'"{view.name}"', table)
    return [
        Difference(
            projection=view.name,
            key=dict(zip(view.key, key, strict=True)),
            stored=stored.get(key),
            computed=computed.get(key),
        )
        for key in {**stored, **computed}
    ]


def _rows_without(cursor: duckdb.DuckDBPyConnection, view: View, rows: str, others: str) -> dict[Any, dict[str, Any]]:
    names = [column.name for column in view.columns]
    listed = ", ".join(f'"{name}"' for name in names)
    order = ", ".join(f'"{name}"' for name in view.key)
    found = cursor.execute(
        f"select {listed} from (select {listed} from {rows} except all select {listed} from {others}) "
        f"order by {order} limit {DIFFERENCES_PER_VIEW_MAX}"
    ).fetchall()
    dicts = [dict(zip(names, row, strict=True)) for row in found]
    return {tuple(row[name] for name in view.key): row for row in dicts}


def digest(cursor: duckdb.DuckDBPyConnection, view: View) -> str:
    """SHA-256, in hex, over the number of rows and the sums of both halves of each row's MD5.

    Sums of whole numbers do not depend on the order of rows, unlike a digest of their text one after another.
    """
    row = cursor.execute(
        "select count(*), coalesce(sum(cast(md5_number_lower(line) as hugeint)), 0), "
        "coalesce(sum(cast(md5_number_upper(line) as hugeint)), 0) "
        f'from (select cast(told as varchar) as line from "{view.name}" as told)'
    ).fetchone()
    return hashlib.sha256(repr(row).encode()).hexdigest()
