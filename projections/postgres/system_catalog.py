"""The small DuckDB instance that answers questions about the catalog. It holds descriptions and no data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from projections.catalog import Column
from projections.postgres import empty_tables, system_tables
from projections.postgres.relation import Relation
from projections.postgres.system_functions import FUNCTIONS, INFORMATION, PG, TABLE_FUNCTIONS
from projections.postgres.types import ELEMENT_OF, PG_TYPES, oid_of_name, type_name
from projections.query import FOR_BI
from projections.stream import Shape, Stream, describe, shaped

# A few thousand short rows are sorted and joined, never more.
MEMORY_LIMIT = "256MB"

_COLUMN_TYPES = {"oid": "uinteger", "name": "varchar", "char": "varchar", "text": "varchar"}
_TABLES = {
    PG: system_tables.PG_CATALOG | empty_tables.PG_CATALOG,
    INFORMATION: system_tables.INFORMATION_SCHEMA | empty_tables.INFORMATION_SCHEMA,
}


class SystemCatalog:
    """PostgreSQL's catalog of some views.

    Args:
        relations: the views that it lists.
        settings: name, value and description of each setting that ``pg_settings`` lists.
    """

    def __init__(self, relations: Sequence[Relation], settings: Sequence[tuple[str, str, str]] = ()) -> None:
        ordered = sorted(relations, key=lambda relation: relation.name)
        self.views = frozenset(relation.name.lower() for relation in ordered)
        """Names of the views."""
        self._oids = system_tables.SYSTEM_CLASS_OIDS | {
            relation.name: system_tables.FIRST_OID + number for number, relation in enumerate(ordered)
        }
        self._root = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY_LIMIT})
        with self._root.cursor() as setup:
            _define(setup)
            for table, rows in system_tables.rows_of(ordered, settings).items():
                _fill(setup, table, rows)
        # `current_setting('server_version_num')::int / 100` is how tools ask for the version.
        self._root.execute("set global integer_division = true")
        for setting in ("python_enable_replacements", "enable_external_access", "autoload_known_extensions"):
            self._root.execute(f"set global {setting} = false")
        self._root.execute("set global lock_configuration = true")

    def close(self) -> None:
        """Forget everything."""
        self._root.close()

    @contextmanager
    def reading(self, _asker: object = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own."""
        with self._root.cursor() as cursor:
            yield cursor

    def describe(self, sql: str, parameters: int) -> tuple[Column, ...]:
        """The columns of a SELECT that was checked."""
        with self.reading() as cursor:
            return describe(cursor, sql, parameters)

    def stream(self, sql: str, params: Sequence[Any], shape: Shape) -> Stream:
        """The answer to a SELECT that was checked, in portions."""
        return Stream(self.reading, lambda _: None, shaped(sql, shape), params, FOR_BI)

    def oid_of_class(self, name: str) -> int | None:
        """The OID of a table or view of the catalog, None when there is none of that name."""
        return self._oids.get(name)

    @staticmethod
    def oid_of_type(name: str) -> int | None:
        """The OID of a type by any of its names."""
        return oid_of_name(name)

    @staticmethod
    def oid_of_function(name: str) -> int | None:
        """The OID of a function that reads or writes a type, None when there is none of that name."""
        return system_tables.PROC_OIDS.get(name)

    @staticmethod
    def schema_of_table(name: str) -> str | None:
        """Where a table of ``pg_catalog`` lies that is named without a schema; None when it is not one of those."""
        return PG if name in _TABLES[PG] else None


def _define(setup: duckdb.DuckDBPyConnection) -> None:
    for schema, tables in _TABLES.items():
        setup.execute(f"create schema {schema}")
        for name, columns in tables.items():
            setup.execute(f"create table {schema}.{name} ({_as_duckdb(columns)})")
    setup.execute(f"create table {PG}.type_names (oid uinteger, name varchar, short varchar)")
    names = [(each.oid, each.sql_name, each.name) for each in PG_TYPES]
    names += [(oid, type_name(oid), f"_{each.name}") for oid, each in ELEMENT_OF.items()]
    setup.executemany(f"insert into {PG}.type_names values (?, ?, ?)", names)
    for name, forms in FUNCTIONS.items():
        if forms:
            setup.execute(f"create macro {PG}.{name}{', '.join(forms)}")
    for name, form in TABLE_FUNCTIONS.items():
        setup.execute(f"create macro {PG}.{name}{form}")


def _as_duckdb(columns: str) -> str:
    parts = []
    for column in columns.split(","):
        name, kind = column.split()
        element, brackets = kind.removesuffix("[]"), "[]" if kind.endswith("[]") else ""
        parts.append(f'"{name}" {_COLUMN_TYPES.get(element, element)}{brackets}')
    return ", ".join(parts)


def _fill(setup: duckdb.DuckDBPyConnection, table: str, rows: system_tables.Rows) -> None:
    schema = PG if table in _TABLES[PG] else INFORMATION
    columns = [column.split()[0] for column in _TABLES[schema][table].split(",")]
    # An appender takes no schema, so the rows go through a temporary table.
    setup.execute(f"create or replace temp table filled as from {schema}.{table} limit 0")
    with setup.appender("filled") as appender:
        appender.append_rows([tuple(row.get(column) for column in columns) for row in rows])
    setup.execute(f"insert into {schema}.{table} from filled")
