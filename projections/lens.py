"""Which log a SELECT reads. The text of a projection never changes; ``log_rows`` under it does.

On one connection a temporary view ``log_rows`` shadows the table, and each stored projection is shadowed by its own
SELECT. Views bind when they are asked, so everything that is built over them follows.
"""

from datetime import UTC, datetime

import duckdb
import msgspec

from projections.catalog import Catalog
from projections.schema import RETRACTION, RETRACTIONS_IN

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


_OCCURRED_AT = "timezone('UTC', try_cast(fact.occurred_at as timestamptz))"

AsOf = Lens | int | None
"""A lens; a position alone; None for the present."""


def show_as_of(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, as_of: Lens | int, asked: frozenset[str]) -> None:
    """Have this connection see the log, and what is asked for, through a lens.

    A stored projection that is asked for by itself becomes a view, so that a question about one incident reads only
    that. One that others build upon becomes a table, or it would be computed once for every time they name it.

    Args:
        cursor: the connection.
        catalog: the projections.
        as_of: which events to see.
        asked: tables and views that the question names.
    """
    lens = Lens(position=as_of) if isinstance(as_of, int) else as_of
    # Qualified, or the view would select from itself.
    rows = base(cursor, "log_rows")
    cursor.execute(f"create or replace temp view log_rows as {_seen(rows, lens)}")
    shadow(cursor, catalog, asked)


def _seen(rows: str, lens: Lens) -> str:
    bounds = []
    if lens.position is not None:
        bounds.append(f"seq <= {lens.position:d}")
    if lens.known_by is not None:
        bounds.append(f"coalesce(known_at, recorded_at) <= {_literal(lens.known_by)}")
    known = f"select * from {rows}"
    if bounds:
        known = _retracted_within(f"{known} where {' and '.join(bounds)}", lens)
    if lens.happened_by is None:
        return known
    corrections = ", ".join(f"'{tag}'" for tag in CORRECTIONS)
    then = _literal(lens.happened_by)
    return f"""
with known as ({known}),
corrected as (
    select
        fact.replaces_seq as seq,
        fact.milestone = 'detected' as of_signal,
        arg_max({_OCCURRED_AT}, known.seq) as occurred_at
    from known
    where type = 'incident.milestone_corrected' and retracted_by_seq is null
    group by all
)
select known.*
from known
-- A declaration names the signal before it; a correction of that does not move the declaration.
left join corrected on corrected.seq = known.seq and corrected.of_signal = (known.type = 'incident.opened')
where case
    -- What only a correction says happened when it says.
    when known.type = 'incident.milestone_corrected' and coalesce(fact.replaces_seq, 0) = 0
        then {_OCCURRED_AT} <= {then}
    else known.type in ({corrections}) or coalesce(corrected.occurred_at, known.happened_at) <= {then}
end
"""


def _retracted_within(known: str, lens: Lens) -> str:
    """The same rows, with only such retractions as are among them."""
    if lens.known_by is None:
        # The first retraction of an event is the one with the lowest position.
        visible = f"case when retracted_by_seq <= {lens.position:d} then retracted_by_seq end"
        return f"select * replace ({visible} as retracted_by_seq) from ({known})"
    return f"""
with visible as ({known}),
retractions as (
    select event_seq, event_stream, event_type, min(seq) as by_seq
    from ({RETRACTIONS_IN.format(rows="visible")})
    group by all
)
select visible.* replace (named.by_seq as retracted_by_seq)
from visible
left join retractions as named
    on named.event_seq = visible.seq and named.event_stream = visible.stream and named.event_type = visible.type
"""


def _literal(moment: datetime) -> str:
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return f"timestamp '{naive.isoformat(sep=' ')}'"


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
