"""Which log a SELECT reads. The text of a projection never changes; the tables of the log under it do.

On one connection temporary views shadow the tables of the log, and each stored projection is shadowed by its own
SELECT. Views bind when they are asked, so everything that is built over them follows.
"""

from datetime import UTC, datetime

import duckdb
import msgspec

from projections.catalog import Catalog
from projections.log_tables import RETRACTION, RETRACTIONS_IN, TABLES, category_of_table, category_table

# What says how things are believed to have been, whenever they happened: knowledge, bounded by the first clock alone.
CORRECTIONS = (
    "incident.milestone_corrected",
    RETRACTION,
    "incident.severity_corrected",
    "incident.determination_corrected",
)


class Lens(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the log a question sees, by two clocks. A bound that is None does not bound."""

    position: int | None = None
    """As known at: the last log position to see."""
    known_by: datetime | None = None
    """As known at, for what was imported: only what its first recorder knew by then; an event that was not imported
    counts by when the log recorded it."""
    happened_by: datetime | None = None
    """As happened by: only what is believed, under the other bounds, to have happened by then."""


_OCCURRED_AT = "timezone('UTC', try_cast({fact}.occurred_at as timestamptz))"

AsOf = Lens | int | None
"""A lens; a position alone; None for the present."""


def show_as_of(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    as_of: Lens | int,
    asked: frozenset[str],
    *,
    besides: frozenset[str] = frozenset(),
) -> None:
    """Have this connection see the log, and what is asked for, through a lens.

    A stored projection that is asked for by itself becomes a view, so that a question about one incident reads only
    that. One that others build upon becomes a table, or it would be computed once for every time they name it.

    Args:
        cursor: the connection.
        catalog: the projections.
        as_of: which events to see.
        asked: tables and views that the question names.
        besides: stored projections that the connection sees as it should already.
    """
    lens = lens_of(as_of)
    main = main_schema(cursor)
    for table in log_tables_beneath(catalog, asked):
        # Qualified, or the view would select from itself.
        cursor.execute(f"create or replace temp view {table} as {seen(main, table, lens)}")
    shadow(cursor, catalog, asked, besides=besides)


def lens_of(as_of: AsOf) -> Lens:
    """What bounds a question; nothing does in the present."""
    return as_of if isinstance(as_of, Lens) else Lens(position=as_of)


def log_tables_beneath(catalog: Catalog, asked: frozenset[str]) -> list[str]:
    """The tables of the log that lie under some tables and views."""
    reads = {each.name: each.reads for each in catalog.typed} | {each.name: each.reads for each in catalog.views}
    asked = asked & reads.keys() | (asked - reads.keys() - {"people"})
    if any(not reads.get(name) for name in asked):
        return list(TABLES)
    return sorted({category_table(tag.partition(".")[0]) for name in asked for tag in reads[name]})


def seen(main: str, table: str, lens: Lens) -> str:
    """The SELECT of those rows of a table of the log that a lens lets through.

    Args:
        main: the schema of the warehouse's own tables.
        table: its name.
        lens: the bounds.
    """
    known = _known(main, table, lens)
    if lens.happened_by is None:
        return known
    corrections = ", ".join(f"'{tag}'" for tag in CORRECTIONS)
    then = _literal(lens.happened_by)
    happened = f"known.type in ({corrections}) or coalesce(corrected.occurred_at, known.happened_at) <= {then}"
    if table == category_table("incident"):
        # What only a correction says, happened when it says.
        unsaid = "known.type = 'incident.milestone_corrected' and coalesce(known.fact.replaces_seq, 0) = 0"
        occurred = _OCCURRED_AT.format(fact="known.fact")
        happened = f"case when {unsaid} then {occurred} <= {then} else {happened} end"
    # A declaration names the signal before it; a correction of that does not move the declaration.
    return f"""
with known as ({known}),
corrected as (
    select
        fact.replaces_seq as seq,
        fact.milestone = 'detected' as of_signal,
        arg_max({_OCCURRED_AT.format(fact="fact")}, told.seq) as occurred_at
    from ({_known(main, category_table("incident"), lens)}) as told
    where type = 'incident.milestone_corrected' and retracted_by_seq is null
    group by all
)
select known.*
from known
left join corrected on corrected.seq = known.seq and corrected.of_signal = (known.type = 'incident.opened')
where {happened}
"""


def _known(main: str, table: str, lens: Lens) -> str:
    """The rows of a table of the log within the bounds of knowledge, with such retractions as are within them too."""
    within = f"where {' and '.join(_bounds(lens)) or 'true'}"
    if lens.known_by is None:
        # The first retraction of an event is the one with the lowest position.
        last = "retracted_by_seq" if lens.position is None else f"{lens.position:d}"
        visible = f"case when retracted_by_seq <= {last} then retracted_by_seq end"
        return f"select * replace ({visible} as retracted_by_seq) from {main}.{table} {within}"
    retractions = RETRACTIONS_IN.format(rows=f"(from {main}.{category_table('incident')} {within})")
    return f"""
with retractions as (
    select event_seq, event_stream, event_type, min(seq) as by_seq
    from ({retractions})
    group by all
)
select told.* replace (named.by_seq as retracted_by_seq)
from (from {main}.{table} {within}) as told
left join retractions as named
    on named.event_seq = told.seq and named.event_type = told.type
    and named.event_stream = {category_of_table(table)} || '.' || told.stream_id
"""


def _bounds(lens: Lens) -> list[str]:
    bounds = []
    if lens.position is not None:
        bounds.append(f"seq <= {lens.position:d}")
    if lens.known_by is not None:
        bounds.append(f"coalesce(known_at, recorded_at) <= {_literal(lens.known_by)}")
    return bounds


def _literal(moment: datetime) -> str:
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return f"timestamp '{naive.isoformat(sep=' ')}'"


def shadow(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    asked: frozenset[str],
    *,
    besides: frozenset[str] = frozenset(),
) -> None:
    """Have this connection compute the stored projections that a question needs from the log that it sees."""
    built_upon = beneath(catalog, frozenset(view.name for view in catalog.views if not view.stored) & asked)
    needed = beneath(catalog, asked)
    for view in catalog.stored:
        if view.name in needed - besides:
            kind = "table" if view.name in built_upon else "view"
            cursor.execute(f'create or replace temp {kind} "{view.name}" as {view.sql}')


def see_everything(cursor: duckdb.DuckDBPyConnection) -> None:
    """Have this connection see the whole log again; what it sees of the projections stays."""
    for table in TABLES:
        cursor.execute(f"drop view if exists temp.{table}")


def base(cursor: duckdb.DuckDBPyConnection, table: str) -> str:
    """The name of a table that nothing temporary can shadow."""
    return f'{main_schema(cursor)}."{table}"'


def main_schema(cursor: duckdb.DuckDBPyConnection) -> str:
    """The name of the schema in which the warehouse's own tables lie."""
    row = cursor.execute("select current_database()").fetchone()
    assert row is not None
    return f'"{row[0]}".main'


def beneath(catalog: Catalog, names: frozenset[str], *, down_to: frozenset[str] = frozenset()) -> frozenset[str]:
    """These names and all that they read, directly or not.

    Args:
        catalog: the projections.
        names: tables and views.
        down_to: what stands already, so that nothing beneath it is wanted.
    """
    found = set(names)
    for view in reversed(catalog.views):
        if view.name in found - down_to:
            found |= view.uses
    return frozenset(found)
