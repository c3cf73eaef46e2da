"""The tables that are not projections: the copy of the log (`projections.log_tables`), people, and where the copy
stands."""

import duckdb

from projections.log_tables import PARSE, TABLES, all_rows_sql, create_log_tables, rows_sql

SCHEMA_VERSION = 4
"""Raised when one of these tables changes; a warehouse of another version is rebuilt from the log."""

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

LOG_TABLE = "\n".join([PARSE, *(rows_sql(table, "parsed") for table in TABLES), all_rows_sql()])
"""What the tables of the log hold, as text."""


def attach_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Give an instance its table of people, empty. Once for each instance, before its configuration is locked."""
    connection.execute(f"attach ':memory:' as {PEOPLE_DATABASE}")
    connection.execute(PEOPLE_TABLE)


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of the file that are not there yet."""
    connection.execute(STATE_TABLE)
    create_log_tables(connection)
