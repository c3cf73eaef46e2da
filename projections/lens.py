"""Which log a SELECT reads. The text of a projection never changes; ``log_rows`` under it does.

On one connection a temporary view ``log_rows`` shadows the table, and each stored projection is shadowed by its own
SELECT. Views bind when they are asked, so everything that is built over them follows.
"""

import duckdb

from projections.catalog import Catalog


def show_as_of(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, position: int, asked: frozenset[str]) -> None:
    """Have this connection see the log, and what is asked for, as it was at a position.

    A stored projection that is asked for by itself becomes a view, so that a question about one incident reads only
    that. One that others build upon becomes a table, or it would be computed once for every time they name it.

    Args:
        cursor: the connection.
        catalog: the projections.
        position: of the last event to see.
        asked: tables and views that the question names.
    """
    # Qualified, or the view would select from itself.
    rows = base(cursor, "log_rows")
    cursor.execute(f"create or replace temp view log_rows as select * from {rows} where seq <= {position:d}")
    shadow(cursor, catalog, asked)


def shadow(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, asked: frozenset[str]) -> None:
    """Have this connection compute the stored projections that a question needs from the log that it sees."""
    built_upon = _beneath(catalog, frozenset(view.name for view in catalog.views if not view.stored) & asked)
    needed = _beneath(catalog, asked)
    for view in catalog.stored:
        if view.name in needed:
            kind = "table" if view.name in built_upon else "view"
            cursor.execute(f'create or replace temp {kind} "{view.name}" as {view.sql}')


def base(cursor: duckdb.DuckDBPyConnection, table: str) -> str:
    """The name of a table that nothing temporary can shadow."""
    row = cursor.execute("select current_database()").fetchone()
    assert row is not None
    return f'"{row[0]}".main."{table}"'


def _beneath(catalog: Catalog, names: frozenset[str]) -> frozenset[str]:
    """These names and all that they read, directly or not."""
    found = set(names)
    for view in reversed(catalog.views):
        if view.name in found:
            found |= view.uses
    return frozenset(found)
