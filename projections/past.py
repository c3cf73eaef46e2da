"""The past of what comes to an end: rows as of a position, taken as they stand now where nothing has happened since.

An incident is open for hours and then never changes, so of all incidents of the past only those that the position fell
into have other rows now. Which these are, the log tells as it tells live refresh what a batch may have changed
(`projections.refresh`): here the batch is everything after the position. They are folded from their slice of the log
before it; every other row is copied. So the past costs what happened at that moment and since, not all that happened
before.

Alerts, pages and rotations are left to `projections.lens`: an alert comes back for years, so nearly each one has
changed since, and a fold over all of them costs less than finding out.
"""

import duckdb

from projections import links
from projections.catalog import Catalog, View
from projections.lens import Lens, beneath, lens_of, main_schema, seen, show_as_of
from projections.log_tables import category_table
from projections.narrow import narrowed
from projections.slice import by_category, listed

ENDS = "incident"
"""The category whose streams come to an end."""

_CHANGED = "changed_since"
_NEEDED = "needed_of_the_past"


def show_past(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, as_of: Lens | int, asked: frozenset[str]) -> None:
    """Have a connection see the log, and what is asked for, through a lens.

    The rows are those of `projections.lens.show_as_of`, and what is stored of incidents is a temporary table. Within
    the caller's transaction, because what stands now and what has changed since must be of one moment.

    Args:
        cursor: the connection.
        catalog: the projections.
        as_of: which events to see.
        asked: tables and views that the question names.
    """
    lens = lens_of(as_of)
    needed = beneath(catalog, asked)
    folds = [view for view in catalog.stored if view.name in needed and view.refresh != "event" and view.owner == ENDS]
    # Another bound than a position lets any row differ; and only what is up to date can be looked back from.
    if not folds or lens.position is None or lens != Lens(position=lens.position) or not _is_projected(cursor):
        show_as_of(cursor, catalog, lens, asked)
        return
    _find_changed(cursor, folds, lens.position)
    _fold_changed(cursor, catalog, folds, lens)
    seen_so = frozenset(view.name for view in folds)
    # The others are only what these were folded from.
    read = beneath(catalog, asked, down_to=seen_so)
    _copy_unchanged(cursor, [view for view in folds if view.name in read])
    show_as_of(cursor, catalog, lens, asked, besides=seen_so)


def _is_projected(cursor: duckdb.DuckDBPyConnection) -> bool:
    row = cursor.execute(f"select position = projected_position from {main_schema(cursor)}.warehouse_state").fetchone()
    return row == (True,)


def _find_changed(cursor: duckdb.DuckDBPyConnection, folds: list[View], position: int) -> None:
    """Which incidents may have other rows now than at a position, and which streams tell what those were."""
    main = main_schema(cursor)
    since = [
        f"select '{category}' as category, stream_id from {main}.{category_table(category)} "
        # Two scans: of rows in the order of ``seq``, and of the few that were taken back, either skips row groups.
        f"where type in ({listed(types)}) and {bound} > {position:d}"
        for category, types in _types_by_category(folds).items()
        for bound in ("seq", "retracted_by_seq")
    ]
    cursor.execute(f"""
create or replace temp table {_CHANGED} as
with since as ({" union ".join(since)}),
linked as ({_linked(main)})
select stream_id from since where category in ({listed(links.STREAMS_OF_ONE_ID)})
union
select other_id from linked join since using (category, stream_id) where other_category = '{ENDS}'
""")
    cursor.execute(f"""
create or replace temp table {_NEEDED} as
with linked as ({_linked(main)})
select unnest([{listed(links.STREAMS_OF_ONE_ID)}]) as category, stream_id from {_CHANGED}
union
select other_category, other_id
from linked
where category = '{ENDS}' and stream_id in (from {_CHANGED})
""")


def _linked(main: str) -> str:
    """Every link, in both directions."""
    table = f"{main}.{links.NAME}"
    return (
        f"select category, stream_id, other_category, other_id from {table} "
        f"union all select other_category, other_id, category, stream_id from {table}"
    )


def _fold_changed(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, folds: list[View], lens: Lens) -> None:
    """The rows of what has changed since, as they were."""
    main = main_schema(cursor)
    facts = narrowed(catalog, beneath(catalog, frozenset(view.name for view in folds)))
    assert facts is not None, "a stored projection reads no view over the whole log"
    facts.show(
        cursor,
        {
            category: f"from ({seen(main, category_table(category), lens)}) where type in ({listed(types)}) "
            f"and stream_id in (select stream_id from {_NEEDED} where category = '{category}')"
            for category, types in _types_by_category(folds).items()
        },
    )
    for view in folds:
        cursor.execute(f'create or replace temp table "{view.name}" as {view.sql}')
    for view in folds:
        # An incident that is linked with a changed one lies in the slice, but not all that its own row needs.
        cursor.execute(f'delete from temp."{view.name}" where "{view.key[0]}" not in (from {_CHANGED})')
    facts.hide(cursor)
    cursor.execute(f"drop table temp.{_NEEDED}")


def _types_by_category(folds: list[View]) -> dict[str, set[str]]:
    return by_category(frozenset[str]().union(*(view.reads for view in folds)))


def _copy_unchanged(cursor: duckdb.DuckDBPyConnection, folds: list[View]) -> None:
    main = main_schema(cursor)
    for view in folds:
        cursor.execute(
            f'insert into temp."{view.name}" by name select stored.* from {main}."{view.name}" as stored '
            f'anti join {_CHANGED} as changed on changed.stream_id = stored."{view.key[0]}"'
        )
    cursor.execute(f"drop table temp.{_CHANGED}")
