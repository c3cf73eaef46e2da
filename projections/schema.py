"""The tables that are not projections: the copy of the log, people, and where the copy stands.

None has an index or a primary key: DuckDB's are not needed for speed here and have been a source of corruption.
"""

SCHEMA_VERSION = 1
"""Raised when one of these tables changes; a warehouse of another version is rebuilt from the log."""

LOG_TABLE = """
create table if not exists log (
    seq bigint,
    stream varchar,
    category varchar,
    stream_id varchar,
    type varchar,
    event_id varchar,
    source varchar,
    happened_at timestamp,
    recorded_at timestamp,
    actor varchar,
    auth_id varchar,
    causation_id varchar,
    correlation_id varchar,
    traceparent varchar,
    happened_earliest timestamp,
    happened_latest timestamp,
    data variant
)"""
"""In seq order. Times are UTC. What a fact does not say is null. ``data`` is null when the body could not be read."""

PEOPLE_TABLE = """
create table if not exists people (
    person_id varchar,
    handle varchar,
    name varchar,
    zone varchar,
    erased boolean
)"""
"""Who is meant by a person id; the projector fills it with what was sealed. Handle and name are null once erased."""

STATE_TABLE = """
create table if not exists warehouse_state (
    schema_version integer,
    definitions varchar,
    position bigint,
    projected_position bigint
)"""
"""One row. Every projection is that of ``projected_position``; it lags ``position`` only while a load is unfinished."""

# The bytes of an event become a row in one pass, set at a time. Whatever cannot be read is null instead of an error:
# what is wrong with one event must not stop the others.
PARSE = """
with texts as (
    select seq, subject, recorded_at, try(decode(body)) as body from raw
),
parsed as (
    select
        seq,
        subject,
        recorded_at,
        case when json_valid(body) then json_transform(body, '{
            "id": "VARCHAR", "source": "VARCHAR", "type": "VARCHAR", "time": "VARCHAR", "actor": "VARCHAR",
            "authid": "VARCHAR", "causationid": "VARCHAR", "correlationid": "VARCHAR", "traceparent": "VARCHAR",
            "timeearliest": "VARCHAR", "timelatest": "VARCHAR", "data": "JSON"
        }') end as event
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
    case when json_type(event.data) = 'OBJECT' then event.data::variant end as data
from parsed
"""
