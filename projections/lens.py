"""Which log a SELECT reads. The text of a projection never changes; the name ``log`` under it does.

On one connection a temporary view ``log`` shadows the table, and each stored projection is shadowed by a temporary
view of its own SELECT. Views bind when they are asked, so everything that is built over them follows.
"""

import duckdb

from projections.catalog import Catalog


def show_as_of(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, position: int) -> None:
    """Have this connection see the log, and everything over it, as it was at a position."""
    # Qualified, or the view would select from itself.
    cursor.execute(f"create or replace temp view log as select * from {base(cursor, 'log')} where seq <= {position:d}")
    shadow_stored(cursor, catalog)


def shadow_stored(cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Have this connection compute every stored projection from the log that it sees."""
    for view in catalog.stored:
        cursor.execute(f'create or replace temp view "{view.name}" as {view.sql}')


def base(cursor: duckdb.DuckDBPyConnection, table: str) -> str:
    """The name of a table that no temporary view can shadow."""
    row = cursor.execute("select current_database()").fetchone()
    assert row is not None
    return f'"{row[0]}".main."{table}"'
