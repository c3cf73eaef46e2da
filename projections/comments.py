"""What every view and column means, and how the warehouse itself says so: by ``comment on``, for any SQL tool.

A column's text is the first of these that there is: what the header of the view's file says of it; what a fact class
says of the field, in the view of that fact; what `projections.columns` says of the name; what the fact classes say
that have such a field, when they agree.
"""

from collections.abc import Iterable
from functools import cache

import duckdb
import msgspec

from events import FACT_TYPES
from events.schema import field_meanings, one_line
from projections.catalog import Catalog, Column, Refresh, View
from projections.columns import OF_ANY_VIEW, OF_EVERY_EVENT, OF_PEOPLE
from projections.typed_views import TypedView, view_name

FIELD_PREFIX = "fact_"
"""Before a field of a fact whose name a column of every event has already."""

_COLUMNS = """
select table_name, column_name, data_type from duckdb_columns()
where database_name = current_database() and schema_name = 'main'
order by table_name, column_index
"""


class DocumentedView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be asked for, with all that it means."""

    name: str
    sentence: str
    grain: str
    key: tuple[str, ...]
    refresh: Refresh
    columns: tuple[Column, ...]
    meanings: dict[str, str]
    """What each column means; empty for one that nothing documents."""
    sql: str


def of_projection(view: View) -> DocumentedView:
    """A projection with its meaning."""
    return DocumentedView(
        name=view.name,
        sentence=one_line(view.sentence),
        grain=view.grain,
        key=view.key,
        refresh=view.refresh,
        columns=view.columns,
        meanings={column.name: view.meanings.get(column.name) or _shared(column.name) for column in view.columns},
        sql=view.sql,
    )


def of_generated(catalog: Catalog, connection: duckdb.DuckDBPyConnection) -> list[DocumentedView]:
    """The views that are generated from the facts, and the table of people, with their meaning.

    Args:
        catalog: the views.
        connection: to a warehouse in which they exist.
    """
    columns: dict[str, list[Column]] = {}
    for name, column, kind in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(name, []).append(Column(column, kind))
    return [*(_of_typed(view, columns[view.name]) for view in catalog.typed), _of_people(columns["people"])]


def comment_on(connection: duckdb.DuckDBPyConnection, views: Iterable[DocumentedView]) -> None:
    """Have the warehouse say of some views and their columns what they mean.

    One in memory says nothing: no tool will ever open it, and some 3,000 comments are two thirds of a second.
    """
    if _is_in_memory(connection):
        return
    statements: list[str] = []
    for view in views:
        kind = "view" if view.refresh == "view" else "table"
        statements.append(f'comment on {kind} "{view.name}" is {_text(view.sentence)}')
        statements += [
            f'comment on column "{view.name}"."{column}" is {_text(text)}'
            for column, text in view.meanings.items()
            if text
        ]
    connection.execute(";\n".join(statements))


def _is_in_memory(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute(
        "select path is null from duckdb_databases() where database_name = current_database()"
    ).fetchall() == [(True,)]


def comment_on_all(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Have the warehouse say of every view and column what it means."""
    comment_on(connection, [*map(of_projection, catalog.views), *of_generated(catalog, connection)])


def _of_typed(view: TypedView, columns: list[Column]) -> DocumentedView:
    kinds = [kind for tag, kind in FACT_TYPES.items() if view_name(tag) == view.name]
    own = field_meanings(kinds[0]) if kinds else {}
    return DocumentedView(
        name=view.name,
        sentence=one_line(view.sentence),
        grain="one row an event",
        key=("seq",),
        refresh="view",
        columns=tuple(columns),
        meanings={
            column.name: OF_EVERY_EVENT.get(column.name)
            or own.get(column.name.removeprefix(FIELD_PREFIX))
            or _shared(column.name)
            for column in columns
        },
        sql=view.sql,
    )


def _of_people(columns: list[Column]) -> DocumentedView:
    return DocumentedView(
        name="people",
        sentence="Who is meant by a person id. The same through every lens: the log holds no names.",
        grain="one row a person",
        key=("person_id",),
        refresh="view",
        columns=tuple(columns),
        meanings={column.name: OF_PEOPLE.get(column.name, "") for column in columns},
        sql="",
    )


def _shared(column: str) -> str:
    return OF_EVERY_EVENT.get(column) or OF_ANY_VIEW.get(column) or _agreed().get(column, "")


@cache
def _agreed() -> dict[str, str]:
    """What a field of facts means, where all the classes that say so say the same."""
    said: dict[str, set[str]] = {}
    for kind in FACT_TYPES.values():
        for field, text in field_meanings(kind).items():
            said.setdefault(field, set()).add(text)
    return {field: min(texts) for field, texts in said.items() if len(texts) == 1}


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
