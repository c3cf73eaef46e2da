"""The copy of the log in the warehouse's file: a table for each category of streams, and how events get into them.

One table a category, because a projection reads one or a few of them, and the fields of one category's facts are a
fifth of all. Everybody asks the views over them (`projections.typed_views`); ``log_rows`` is all of them together.

What is loaded in one go lies ordered by type and then by position, so that a scan for one type passes over the others
without looking at them: taking one type out of a million events became twice as fast. None of the tables has an index
or a primary key: DuckDB's are not needed for speed here and have been a source of corruption.
"""

import duckdb

from events import FACT_TYPES
from events.fact import category_of
from projections.fact_columns import json_shape
from projections.raw import RAW, RAW_COLUMNS

ROW_COLUMNS = (
    "seq",
    "stream_id",
    "type",
    "event_id",
    "source",
    "happened_at",
    "recorded_at",
    "actor",
    "auth_id",
    "causation_id",
    "correlation_id",
    "traceparent",
    "happened_earliest",
    "happened_latest",
    "known_at",
)
"""The columns of every table of the log before ``data``, ``fact`` and ``retracted_by_seq``."""

CATEGORIES = tuple(sorted({category_of(kind) for kind in FACT_TYPES.values()}))
"""Those that have a table of their own."""

OTHER = "other_rows"
"""Holds the events of categories that this version does not know."""

TABLES = (*(f"{category}_rows" for category in CATEGORIES), OTHER)
"""Every table of the log."""

ALL = "log_rows"
"""The view over all of them, which has the columns ``stream`` and ``category`` too."""

# The bytes of events become rows in one pass, set at a time. Whatever cannot be read is null instead of an error: what
# is wrong with one event must not stop the others.
_ENVELOPE = (
    '{"id": "VARCHAR", "source": "VARCHAR", "type": "VARCHAR", "time": "VARCHAR", "actor": "VARCHAR", '
    '"authid": "VARCHAR", "causationid": "VARCHAR", "correlationid": "VARCHAR", "traceparent": "VARCHAR", '
    '"timeearliest": "VARCHAR", "timelatest": "VARCHAR", "recordedtime": "VARCHAR", "data": "JSON"}'
)

PARSE = f"""
with texts as (
    select seq, subject, make_timestamp(recorded_us) as recorded_at, try(decode(body)) as body from {RAW}
),
parsed as (
    select
        seq,
        subject,
        recorded_at,
        case when json_valid(body) then json_transform(body, '{_ENVELOPE}') end as event
    from texts
)
select
    seq,
    split_part(subject, '.', 2) || '.' || split_part(subject, '.', 3) as stream,
    split_part(subject, '.', 2) as category,
    split_part(subject, '.', 3) as stream_id,
    coalesce(event.type, split_part(subject, '.', 2) || '.' || split_part(subject, '.', 4)) as type,
    event.id as event_id,
    event.source as source,
    coalesce(timezone('UTC', try_cast(event.time as timestamptz)), recorded_at) as happened_at,
    recorded_at,
    nullif(event.actor, '') as actor,
    nullif(event.authid, '') as auth_id,
    nullif(event.causationid, '') as causation_id,
    nullif(event.correlationid, '') as correlation_id,
    nullif(event.traceparent, '') as traceparent,
    timezone('UTC', try_cast(event.timeearliest as timestamptz)) as happened_earliest,
    timezone('UTC', try_cast(event.timelatest as timestamptz)) as happened_latest,
    timezone('UTC', try_cast(event.recordedtime as timestamptz)) as known_at,
    case when json_type(event.data) = 'OBJECT' then event.data end as data
from parsed
"""
"""Rows for the tables of the log from the relation ``raw``, and their ``stream`` and ``category``. What an event does
not say is null; ``data`` is null when the body could not be read."""

RETRACTION = "incident.event_retracted"

RETRACTIONS_IN = f"""
select seq, fact.event_seq as event_seq, fact.event_stream as event_stream, fact.event_type as event_type
from {{rows}}
-- What is taken back may be said again, but a taking back stands: otherwise what holds would depend on a chain.
where type = '{RETRACTION}' and fact.event_type <> '{RETRACTION}' and fact.event_seq < seq
"""
"""The retractions among some rows of incidents. One counts only when position, stream and type all fit the event that
it names, so that one with a mistake in it takes nothing back."""


def category_table(category: str) -> str:
    """The table that holds the events of a category."""
    return f"{category}_rows" if category in CATEGORIES else OTHER


def category_of_table(table: str) -> str:
    """SQL for the category of a table's rows."""
    return "category" if table == OTHER else f"'{table.removesuffix('_rows')}'"


def all_rows_sql(schema: str = "") -> str:
    """The SELECT of the view ``log_rows``; with the name of a schema and a dot, over just the tables there."""
    return "\nunion all\n".join(
        f"select {', '.join(ROW_COLUMNS)}, {category_of_table(table)} || '.' || stream_id as stream, "
        f"{category_of_table(table)} as category, data, retracted_by_seq from {schema}{table}"
        for table in TABLES
    )


def rows_sql(table: str, parsed: str) -> str:
    """Rows of one table of the log out of rows as `PARSE` gives them, which may lie in it already.

    ``fact`` holds the fields of the category's facts as columns (`projections.fact_columns`); ``retracted_by_seq`` is
    null until `retract`.
    """
    columns = ", ".join((*ROW_COLUMNS, "data"))
    if table == OTHER:
        known = ", ".join(f"'{category}'" for category in CATEGORIES)
        return (
            f"select {columns}, cast(null as bigint) as retracted_by_seq, category from {parsed} "
            f"where category not in ({known})"
        )
    category = table.removesuffix("_rows")
    return (
        f"select {columns}, cast(null as bigint) as retracted_by_seq, "
        f"json_transform(data, {json_shape(category)}) as fact from {parsed} where category = '{category}'"
    )


def create_log_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that are not there yet, and the view over them."""
    connection.execute(f"create or replace temp table {RAW} ({RAW_COLUMNS})")
    connection.execute(f"create or replace temp table parsed as {PARSE}")
    for table in TABLES:
        connection.execute(f"create table if not exists {table} as {rows_sql(table, 'parsed')}")
    connection.execute(f"drop table temp.{RAW}")
    connection.execute("drop table temp.parsed")
    connection.execute(f"create or replace view {ALL} as {all_rows_sql()}")


def read_facts_anew(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring tables that a version with other facts made to the columns of this one's."""
    for table in TABLES[:-1]:
        category = table.removesuffix("_rows")
        shape = f"json_transform(data, {json_shape(category)})"
        (now,) = connection.execute(f"select typeof({shape.replace('data', 'null::json', 1)})").fetchall()
        (kept,) = connection.execute(
            "select data_type from duckdb_columns() "
            "where database_name = current_database() and table_name = ? and column_name = 'fact'",
            [table],
        ).fetchall()
        if now != kept:
            connection.execute(f"create or replace table {table} as select * replace ({shape} as fact) from {table}")
        # A category that was unknown until now.
        connection.execute(
            f"insert into {table} by name select * exclude (category), {shape} as fact "
            f"from {OTHER} where category = '{category}'"
        )
        connection.execute(f"delete from {OTHER} where category = '{category}'")


def take_in(connection: duckdb.DuckDBPyConnection, database: str) -> frozenset[tuple[str, str]]:
    """Add the events of the relation ``raw`` to the tables of the log, and say which they are.

    Args:
        connection: sees ``raw``.
        database: where the tables lie, such as ``"recount".main``.

    Returns:
        The streams among them, each with every type that it got, or of which an event was taken back.
    """
    connection.execute(f"create or replace temp table parsed as {PARSE}")
    touched = connection.execute("select distinct stream, type, category from parsed").fetchall()
    _insert(connection, database, {category for _stream, _type, category in touched}, "parsed")
    taken_back: list[tuple[str, str]] = []
    if any(its_type == RETRACTION for _stream, its_type, _category in touched):
        taken_back = _retract(connection, database)
    return frozenset({(stream, its_type) for stream, its_type, _category in touched}.union(taken_back))


def take_in_many(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """What `take_in` does, for a stretch so long that parsing costs more than planning: nothing is laid down between
    the bytes and the tables, and nobody is told what it touched."""
    categories = connection.execute(f"select distinct split_part(subject, '.', 2) from {RAW}").fetchall()
    _insert(connection, database, {category for (category,) in categories}, f"({PARSE})")
    _retract(connection, database)


def _insert(connection: duckdb.DuckDBPyConnection, database: str, categories: set[str], parsed: str) -> None:
    for table in sorted({category_table(category) for category in categories}):
        # In order before the facts are read: a row is moved in half the time without them.
        in_order = f"(from {parsed} order by type, seq)"
        connection.execute(f"insert into {database}.{table} {rows_sql(table, in_order)}")


def _retract(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """Mark what the events of ``raw`` take back; the first retraction of an event stays.

    Returns:
        The stream and type of each such event.
    """
    since = f"seq >= (select min(seq) from {RAW})"
    named = connection.execute(
        "select event_seq, event_stream, event_type, min(seq) from "
        f"({RETRACTIONS_IN.format(rows=f'(from {database}.incident_rows where {since})')}) group by all"
    ).fetchall()
    found: list[tuple[str, str]] = []
    for seq, stream, its_type, by_seq in named:
        table = category_table((stream or "").partition(".")[0])
        lies_in = f"{category_of_table(table)} || '.' || stream_id"
        found += connection.execute(
            f"update {database}.{table} set retracted_by_seq = ? "
            f"where seq = ? and {lies_in} = ? and type = ? and retracted_by_seq is null returning {lies_in}, type",
            [by_seq, seq, stream, its_type],
        ).fetchall()
    return found
