"""What Grafana, Metabase, DBeaver, Power BI and any JDBC tool send when they connect is answered sensibly."""

import psycopg
import pytest
from psycopg import errors

from tests.pgwire import tool_queries

PUBLIC_OID = 2_200


def test_grafana_finds_version_views_and_columns(connection: psycopg.Connection):
    assert connection.execute(tool_queries.GRAFANA_VERSION).fetchone() == (1600,)
    assert connection.execute(tool_queries.GRAFANA_TIMESCALE).fetchall() == []
    assert ("incidents",) in connection.execute(tool_queries.GRAFANA_TABLES).fetchall()
    columns = dict(connection.execute(tool_queries.GRAFANA_COLUMNS).fetchall())
    assert columns["opened_at"] == "timestamp without time zone"
    assert columns["alert_count"] == "bigint"


def test_grafana_draws_a_panel(connection: psycopg.Connection):
    rows = connection.execute(tool_queries.GRAFANA_PANEL).fetchall()
    assert sum(row[1] for row in rows) == 2


def test_jdbc_lists_schemas_views_and_columns(connection: psycopg.Connection):
    assert ("public", None) in connection.execute(tool_queries.JDBC_SCHEMAS).fetchall()
    views = {row[2]: row for row in connection.execute(tool_queries.JDBC_TABLES).fetchall()}
    assert views["incidents"][3] == "VIEW"
    assert views["incidents"][4].startswith("Every incident")
    columns = connection.execute(tool_queries.JDBC_COLUMNS).fetchall()
    assert [row[7] for row in columns] == list(range(1, len(columns) + 1))
    assert columns[0][2] == "incident_id"


@pytest.mark.parametrize("question", [tool_queries.JDBC_PRIMARY_KEYS, tool_queries.JDBC_IMPORTED_KEYS])
def test_jdbc_finds_no_keys(connection: psycopg.Connection, question: str):
    assert connection.execute(question).fetchall() == []


def test_jdbc_finds_a_type(connection: psycopg.Connection):
    found = connection.execute(tool_queries.JDBC_TYPE_BY_NAME, ["text"]).fetchone()
    assert found is not None
    assert (found[0], found[2], found[3], found[4], found[11]) == (25, "pg_catalog", False, "text", 1009)


def test_metabase_syncs(connection: psycopg.Connection):
    assert connection.execute(tool_queries.METABASE_ZONE).fetchone() == ("UTC",)
    assert connection.execute(tool_queries.METABASE_ENUMS).fetchall() == []
    assert connection.execute(tool_queries.METABASE_FOREIGN_KEYS).fetchall() == []
    tables = connection.execute(tool_queries.METABASE_TABLES, ["public"]).fetchall()
    assert "incidents" in {row[1] for row in tables}
    fields = connection.execute(tool_queries.METABASE_FIELDS, ["public", "incidents"]).fetchall()
    assert fields[0][:6] == ("incident_id", "text", 0, "public", "incidents", False)
    assert fields[0][6] == "Which incident, such as `INC-42`."


def test_metabase_asks_a_question(connection: psycopg.Connection):
    rows = connection.execute(tool_queries.METABASE_QUESTION, ["sev1"]).fetchall()
    assert [row[1] for row in rows] == [1]


def test_dbeaver_opens_its_tree(connection: psycopg.Connection):
    assert connection.execute(tool_queries.DBEAVER_CONTEXT).fetchone() == ("public", "ada")
    assert connection.execute(tool_queries.DBEAVER_SEARCH_PATH).fetchone() == ('"$user", public',)
    connection.execute(tool_queries.DBEAVER_SET_SEARCH_PATH)
    columns = connection.execute(tool_queries.DBEAVER_COLUMNS, [PUBLIC_OID]).fetchall()
    assert "Which incident, such as `INC-42`." in {row[-1] for row in columns if row[0] == "incidents"}
    for question in (tool_queries.DBEAVER_CONSTRAINTS, tool_queries.DBEAVER_INDEXES, tool_queries.DBEAVER_PROCEDURES):
        assert connection.execute(question, [PUBLIC_OID]).fetchall() == []


def test_npgsql_loads_the_types(connection: psycopg.Connection):
    cursor = connection.execute(tool_queries.NPGSQL_TYPES)
    assert str((cursor.fetchone() or [""])[0]).startswith("PostgreSQL 16")
    assert cursor.nextset()
    found = {row[2]: row for row in cursor.fetchall()}
    assert found["int4"] == ("pg_catalog", 23, "int4", "b", False, None)
    # An array without its element would be one that Npgsql cannot read.
    assert found["_timestamptz"] == ("pg_catalog", 1185, "_timestamptz", "a", False, 1184)
    kinds = [row[3] for row in found.values()]
    assert kinds == sorted(kinds, key="ba".index)
    assert [cursor.nextset() and cursor.fetchall() for _ in range(2)] == [[], []]


@pytest.mark.parametrize(
    "reset", [tool_queries.NPGSQL_RESET, tool_queries.NPGSQL_RESET_KEEPING, tool_queries.ASYNCPG_RESET]
)
def test_a_pool_resets_its_connections(connection: psycopg.Connection, reset: str):
    connection.execute("set application_name = 'before'")
    connection.execute("declare c cursor with hold for select 1")
    connection.execute(reset)
    assert connection.execute("show application_name").fetchone() == ("",)
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("fetch from c")


def test_adbc_tells_types_by_their_functions(connection: psycopg.Connection):
    named = {row[1]: row[2] for row in connection.execute(tool_queries.ADBC_TYPES).fetchall()}
    assert (named["bool"], named["timestamptz"], named["text"]) == ("boolrecv", "timestamptz_recv", "textrecv")
    assert "_text" not in named


def test_a_function_of_a_type_is_found_by_its_name(connection: psycopg.Connection):
    asked = "select typname from pg_type where typinput = 'array_in'::regproc and typelem = 'int4'::regtype"
    assert connection.execute(asked).fetchall() == [("_int4",)]
    assert connection.execute("select 'array_recv'::regproc = typreceive from pg_type where oid = 1007").fetchone() == (
        True,
    )


def test_jdbc_reads_keywords(connection: psycopg.Connection):
    asked = "select string_agg(word, ',') from pg_catalog.pg_get_keywords() where word <> all ('{select,from}'::text[])"
    words = str((connection.execute(asked).fetchone() or [""])[0]).split(",")
    assert "where" in words
    assert "select" not in words


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select '2026-01-02 +01'::date::text", "2026-01-02"),
        ("select '2026-01-02 03:04:05+01'::date::text", "2026-01-02"),
        ("select '03:04:05+01'::time::text", "03:04:05"),
        ("select 0.123456::numeric::text", "0.1234560000"),
        ("select 'b' = any('{a,b}')", True),
        ("select 'x y' = any('{a,\"x y\"}'::text[])", True),
    ],
)
def test_what_drivers_write_out_is_read(connection: psycopg.Connection, sql: str, value: object):
    assert connection.execute(sql).fetchone() == (value,)


@pytest.mark.parametrize(("kind", "text"), [(1082, b"2026-01-02 +00"), (1083, b"03:04:05+00")])
def test_jdbc_binds_dates_and_times_with_a_zone(connection: psycopg.Connection, kind: int, text: bytes):
    result = connection.pgconn.exec_params(b"select $1", [text], param_types=[kind])
    assert result.get_value(0, 0) == text[:-3].strip()
