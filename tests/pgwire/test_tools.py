"""What Grafana, Metabase, DBeaver and any JDBC tool send when they connect is answered sensibly."""

import psycopg
import pytest

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
