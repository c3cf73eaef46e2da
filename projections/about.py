"""A question about one incident, answered from its slice of the log: what it costs does not grow with the log."""

import duckdb

from projections.catalog import Catalog, View
from projections.lens import AsOf, Lens, beneath, lens_of, log_tables_beneath, main_schema, seen
from projections.links import NAME as LINKS
from projections.slice import Needs, category_of, linked, needs_of, take_slice


def show_about(
    cursor: duckdb.DuckDBPyConnection, catalog: Catalog, as_of: AsOf, asked: frozenset[str], stream: str
) -> None:
    """Have a connection see only what belongs to one stream, through a lens.

    Rows of that stream and of those linked with it directly are what the whole log would give; there may be others,
    which are not, so the question must name whose rows it wants.

    Args:
        cursor: the connection.
        catalog: the projections.
        as_of: which events to see. In the present, stored projections stand as they are.
        asked: tables and views that the question names.
        stream: such as ``incident.INC-42``.
    """
    lens, main = lens_of(as_of), main_schema(cursor)
    needed = beneath(catalog, asked)
    if "clock" in needed:
        _stop_the_clock(cursor, catalog, lens)
    folds = [view for view in catalog.stored if view.name in needed and view.name != LINKS]
    tables = log_tables_beneath(catalog, asked - {"clock"})
    needs = _needs(cursor, f"{main}.{LINKS}", folds, stream)
    take_slice(cursor, needs, tables, lambda table: f"({seen(main, table, lens)})")
    if as_of is None:
        return
    built_upon = frozenset[str]().union(*(view.uses for view in catalog.views if view.name in needed))
    for view in folds:
        kind = "table" if view.name in built_upon else "view"
        cursor.execute(f'create or replace temp {kind} "{view.name}" as {view.sql}')


def _needs(cursor: duckdb.DuckDBPyConnection, links: str, folds: list[View], stream: str) -> Needs:
    near = {stream} | linked(cursor, links, [stream])[stream]
    owners = {view.name: {each for each in near if category_of(each) == view.owner} for view in folds}
    around = linked(cursor, links, near)
    needs = needs_of(folds, owners, around)
    return needs | {each: set() for each in near}


def _stop_the_clock(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, lens: Lens) -> None:
    (clock,) = (view for view in catalog.views if view.name == "clock")
    main = main_schema(cursor)
    tables = log_tables_beneath(catalog, frozenset({"clock"}))
    for table in tables:
        cursor.execute(f"create or replace temp view {table} as {seen(main, table, lens)}")
    cursor.execute(f"create or replace temp table clock as {clock.sql}")
    for table in tables:
        cursor.execute(f"drop view temp.{table}")
