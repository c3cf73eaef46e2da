"""The tables that are not projections: the copy of the log, people, and where the copy stands.

The copy is ``log_rows``; everybody asks the views over it. None has an index or a primary key: DuckDB's are not needed
for speed here and have been a source of corruption.
"""

import duckdb

from projections.fact_columns import json_shape

SCHEMA_VERSION = 4
"""Raised when one of these tables changes; a warehouse of another version is rebuilt from the log."""

RAW_TABLE = "create or replace temp table raw (seq bigint, subject varchar, recorded_us bigint, body blob)"
"""Events as they come from the log; the time in microseconds since 1970, which is several times faster to append."""

PEOPLE_DATABASE = "recount_people"
"""Lives in memory, beside the file: what DuckDB deletes stays readable in a file, and an erased name must not."""

PEOPLE_TABLE = f"""
create table {PEOPLE_DATABASE}.main.people (
    person_id varchar,
    handle varchar,
    name varchar,
    zone varchar,
    erased boolean
)"""
"""Who is meant by a person id; the projector fills it with what was sealed. Handle and name are null once erased."""

PEOPLE_VIEW = f"create or replace view people as select * from {PEOPLE_DATABASE}.main.people"
"""What the file knows of people: where to look. Not part of `create_tables`, because a file of version 1 has a table of
this name."""

STATE_TABLE = """
create table if not exists warehouse_state (
    schema_version integer,
    definitions varchar,
    position bigint,
    projected_position bigint
)"""
"""One row. Every projection is that of ``projected_position``; it lags ``position`` only while a load is unfinished."""

# The bytes of events become rows in one pass, set at a time. Whatever cannot be read is null instead of an error: what
# is wrong with one event must not stop the others.
_ENVELOPE = (
    '{"id": "VARCHAR", "source": "VARCHAR", "type": "VARCHAR", "time": "VARCHAR", "actor": "VARCHAR", '
    '"authid": "VARCHAR", "causationid": "VARCHAR", "correlationid": "VARCHAR", "traceparent": "VARCHAR", '
    '"timeearliest": "VARCHAR", "timelatest": "VARCHAR", "recordedtime": "VARCHAR", "data": "JSON"}'
)

PARSE = f"""
with texts as (
    select seq, subject, make_timestamp(recorded_us) as recorded_at, try(decode(body)) as body from raw
),
parsed as (
    select
        seq,
        subject,
        recorded_at,
        case when json_valid(body) then json_transform(body, '{_ENVELOPE}') end as event
    from texts
),
checked as (
    select *, case when json_type(event.data) = 'OBJECT' then event.data end as data from parsed
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
    data,
    json_transform(data, {json_shape()}) as fact,
    cast(null as bigint) as retracted_by_seq
from checked
"""
"""Rows of ``log_rows`` from the table ``raw``. What a fact does not say is null; ``data`` is null when the body could
not be read; ``fact`` holds the same fields as columns (`projections.fact_columns`). ``retracted_by_seq`` is filled when
the retraction comes (`RETRACT`)."""

RETRACTION = "incident.event_retracted"

RETRACTIONS_IN = f"""
select seq, fact.event_seq as event_seq, fact.event_stream as event_stream, fact.event_type as event_type
from {{rows}}
-- What is taken back may be said again, but a taking back stands: otherwise what holds would depend on a chain.
where type = '{RETRACTION}' and fact.event_type <> '{RETRACTION}' and fact.event_seq < seq
"""
"""The retractions among some rows. One counts only when position, stream and type all fit the event that it names, so
that one with a mistake in it takes nothing back."""

RETRACT = f"""
update {{log_rows}} as told
set retracted_by_seq = named.by_seq
from (
    select event_seq, event_stream, event_type, min(seq) as by_seq
    from ({RETRACTIONS_IN.format(rows="batch")})
    group by all
) as named
where told.seq = named.event_seq and told.stream = named.event_stream and told.type = named.event_type
    and told.retracted_by_seq is null
returning told.stream, told.type
"""
"""Marks what a batch takes back, and gives the stream and type of each such event. The first retraction of an event
stays."""

LOG_TABLE = f"create table if not exists log_rows as {PARSE} limit 0"
"""In seq order. Asked through the view ``log`` and those of `projections.typed_views`."""

FACTS_ANEW = f"""
create or replace table log_rows as
select * replace (json_transform(data, {json_shape()}) as fact) from log_rows
"""
"""For a version that knows other facts: their fields become columns of what is already there."""

FACT_TYPE = f"select typeof(json_transform(null::json, {json_shape()}))"
KEPT_FACT_TYPE = """
select data_type from duckdb_columns()
where database_name = current_database() and table_name = 'log_rows' and column_name = 'fact'
"""


def attach_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Give an instance its table of people, empty. Once for each instance, before its configuration is locked."""
    connection.execute(f"attach ':memory:' as {PEOPLE_DATABASE}")
    connection.execute(PEOPLE_TABLE)


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of the file that are not there yet."""
    for statement in (RAW_TABLE, LOG_TABLE, STATE_TABLE):
        connection.execute(statement)
