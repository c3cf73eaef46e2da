"""A question about one incident, answered from its slice of the log: what it costs does not grow with the log."""

import duckdb

from projections.catalog import Catalog, View
from projections.lens import AsOf, Lens, beneath, lens_of, log_tables_beneath, main_schema, seen
from projections.links import NAME as LINKS
from projections.log_tables import CATEGORIES, category_table
from projections.narrow import narrowed
from projections.slice import Needs, category_of, linked, needs_of, rows_needed, take_slice
from projections.typed_views import EVERY_TYPE, history_of


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
    needed = _needed(catalog, as_of, asked)
    if "clock" in needed:
        _stop_the_clock(cursor, catalog, lens)
    folds = [view for view in catalog.stored if as_of is not None and view.name in needed and view.name != LINKS]
    typed = [each for each in catalog.typed if each.name in needed]
    if asked <= {view.name for view in catalog.views} | {"people"} and not typed:
        return
    needs = _needs(cursor, f"{main}.{LINKS}", folds, stream)
    facts = None if asked & {each.name for each in catalog.typed} else narrowed(catalog, needed)
    if facts is None:
        there = {category_of(each) for each in needs} & set(CATEGORIES)
        history = EVERY_TYPE in needed and bool(there)
        # Most categories have nothing to do with an incident, and planning them costs more than reading its events.
        directly = asked - {"clock", *(view.name for view in catalog.views)} | {each.name for each in typed}
        tables = log_tables_beneath(catalog, directly - {EVERY_TYPE} if history else directly)
        if history:
            tables = sorted({*tables, *map(category_table, there)})
        take_slice(cursor, needs, tables, lambda table: f"({seen(main, table, lens)})")
        if history:
            cursor.execute(f"create or replace temp table {EVERY_TYPE} as {history_of(sorted(there))}")
    else:
        tables = [category_table(each.category) for each in facts.facts]
        rows = {table: f"({seen(main, table, lens)})" for table in tables}
        facts.show(
            cursor,
            {
                each.category: rows_needed(needs, table, rows[table])
                for each, table in zip(facts.facts, tables, strict=True)
            },
        )
    built_upon = frozenset[str]().union(*(view.uses for view in catalog.views if view.name in needed))
    for view in folds:
        kind = "table" if view.name in built_upon else "view"
        cursor.execute(f'create or replace temp {kind} "{view.name}" as {view.sql}')


def _needed(catalog: Catalog, as_of: AsOf, asked: frozenset[str]) -> frozenset[str]:
    """What is asked and all beneath it that is computed for the question: not what stands as it is stored, and the
    clock by itself."""
    stands = frozenset(view.name for view in catalog.stored) if as_of is None else frozenset[str]()
    return beneath(catalog, asked, down_to=stands | {"clock"})


def _needs(cursor: duckdb.DuckDBPyConnection, links: str, folds: list[View], stream: str) -> Needs:
    near = {stream} | linked(cursor, links, [stream])[stream]
    owners = {view.name: {each for each in near if category_of(each) == view.owner} for view in folds}
    around = linked(cursor, links, near) if folds else {}
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
