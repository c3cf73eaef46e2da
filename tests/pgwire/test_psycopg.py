"""psycopg, synchronous and asynchronous: values, parameters, prepared statements, transactions, pipelines."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from tests.pgwire.serving import Serving

UUID_TEXT = "6ccd780c-baba-1026-9564-5b8c656024db"
VALUES: list[tuple[str, Any]] = [
    ("true", True),
    ("1::smallint", 1),
    ("-2::int", -2),
    ("3::bigint", 3),
    ("170141183460469231731687303715884105727::hugeint", Decimal(2**127 - 1)),
    ("5::utinyint", 5),
    ("1.5::float", 1.5),
    ("2.5e300::double", 2.5e300),
    ("'inf'::double", float("inf")),
    ("'-inf'::double", float("-inf")),
    ("12.340::decimal(10, 3)", Decimal("12.340")),
    ("-0.001::decimal(5, 3)", Decimal("-0.001")),
    ("0::decimal(5, 2)", Decimal("0.00")),
    ("100000000::decimal(12, 0)", Decimal("100000000")),
    ("'ä, \"x\"'", 'ä, "x"'),
    ("''", ""),
    ("date '2026-02-03'", date(2026, 2, 3)),
    ("time '01:02:03.5'", time(1, 2, 3, 500_000)),
    ("timestamp '2026-02-03 04:05:06.7'", datetime(2026, 2, 3, 4, 5, 6, 700_000)),
    ("timestamp '1969-12-31 23:59:59'", datetime(1969, 12, 31, 23, 59, 59)),
    ("timestamptz '2026-02-03 04:05:06+02'", datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC)),
    (f"'{UUID_TEXT}'::uuid", UUID(UUID_TEXT)),
    ("interval '3 days 4 hours 5.5 seconds'", timedelta(days=3, hours=4, seconds=5.5)),
    ("'\\x00ab'::blob", b"\x00ab"),
    ("'{\"a\": [1]}'::json", {"a": [1]}),
    ("{'a': 1, 'b': [2]}", {"a": 1, "b": [2]}),
    ("[1, null, 3]", [1, None, 3]),
    ("['a', 'b c', null, 'NULL', 'q\"x', 'back\\slash', '']", ["a", "b c", None, "NULL", 'q"x', "back\\slash", ""]),
    ("[true, false]", [True, False]),
    ("[timestamp '2026-01-01']", [datetime(2026, 1, 1)]),
    ("[1.25::decimal(4, 2)]", [Decimal("1.25")]),
    ("[]::int[]", []),
    ("[{'a': 1}]", [{"a": 1}]),
    ("null::int", None),
]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("sql", "value"), VALUES, ids=[sql for sql, _ in VALUES])
def test_a_value_arrives_as_itself(connection: psycopg.Connection, sql: str, value: Any, binary: bool):
    assert connection.cursor(binary=binary).execute(f"select {sql}").fetchone() == (value,)


PARAMETERS: list[Any] = [
    *(1, 2**40, 1.5, True, "x", "", date(2026, 1, 1), time(1, 2), datetime(2026, 1, 1, 2, 3, 4, 5)),
    *(datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.50"), UUID(UUID_TEXT), b"\x00ab", [1, 2], [1.5], None),
    timedelta(days=1, seconds=2.5),
]


@pytest.mark.parametrize("form", ["%b", "%t"], ids=["binary", "text"])
@pytest.mark.parametrize("value", PARAMETERS, ids=repr)
def test_a_parameter_comes_back_as_it_went(connection: psycopg.Connection, value: Any, form: str):
    assert connection.execute(f"select {form}", [value]).fetchone() == (value,)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("incident_id = %s", "INC-42"),
        ("incident_id in (%s, 'INC-7')", "INC-42"),
        ("incident_id = any(%s)", ["INC-42", "INC-7"]),
        ("incident_id like %s", "%-42"),
        ("resolved_at > %s", datetime(2026, 1, 1, tzinfo=UTC)),
        ("last_seq < %s", 3),
        ("last_seq + %s = 7", 5),
        ("%s = severity", "sev1"),
        ("retroactive is not distinct from %s and severity = 'sev1'", False),
    ],
)
@pytest.mark.parametrize("form", ["%t", "%b"], ids=["text", "binary"])
def test_a_parameter_is_what_it_is_compared_with(connection: psycopg.Connection, where: str, value: Any, form: str):
    found = connection.execute(f"select incident_id from incidents where {where.replace('%s', form)}", [value])
    assert found.fetchall() == [("INC-42",)]


def test_a_text_without_a_type_is_read_as_a_time_where_one_is_meant(connection: psycopg.Connection):
    asked = "select incident_id from incidents where resolved_at between %s and %s"
    assert connection.execute(asked, ["2026-01-01T00:00:00Z", "2027-01-01"]).fetchall() == [("INC-42",)]


def test_a_wrong_value_is_named(connection: psycopg.Connection):
    with pytest.raises(errors.InvalidTextRepresentation):
        connection.execute("select * from incidents where last_seq = %s", ["many"])
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_prepared_statement_is_asked_again_and_again(connection: psycopg.Connection):
    asked = "select title from incidents where incident_id = %s"
    titles = [connection.execute(asked, [f"INC-{number}"], prepare=True).fetchone() for number in (42, 43, 44)]
    assert titles == [("checkout is down",), ("search is slow",), None]


def test_columns_are_named_as_postgresql_does(connection: psycopg.Connection):
    cursor = connection.execute(
        "select count(*), max(last_seq), last_seq::text, 1, title as t from incidents group by all"
    )
    assert [column.name for column in cursor.description or ()] == ["count", "max", "last_seq", "?column?", "t"]


def test_a_failed_transaction_refuses_until_it_is_rolled_back(server: Serving):
    with psycopg.connect(server.dsn) as connection:
        with pytest.raises(errors.UndefinedColumn):
            connection.execute("select bogus")
        assert connection.info.transaction_status == TransactionStatus.INERROR
        with pytest.raises(errors.InFailedSqlTransaction):
            connection.execute("select 1")
        connection.rollback()
        assert connection.execute("select 1").fetchone() == (1,)


def test_what_is_set_in_a_transaction_is_undone_with_it(server: Serving):
    with psycopg.connect(server.dsn) as connection:
        connection.execute("set application_name = 'report'")
        connection.rollback()
        assert connection.execute("show application_name").fetchone() == ("",)


def test_a_pipeline_goes_on_after_an_error(server: Serving):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        with pytest.raises(errors.UndefinedColumn), connection.pipeline():
            connection.execute("select bogus")
        assert connection.execute("select 2").fetchone() == (2,)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("selec 1", errors.SyntaxError),
        ("select * from nosuch", errors.UndefinedTable),
        ("select bogus(1)", errors.UndefinedFunction),
        ("select 'x'::int", errors.InvalidTextRepresentation),
        ("insert into incidents values (1)", errors.InsufficientPrivilege),
        ("with x as (delete from log_rows returning 1) select * from x", errors.SyntaxErrorOrAccessRuleViolation),
        ("select * from read_csv('/etc/passwd')", errors.InsufficientPrivilege),
        ("select * from main.log_rows", errors.InsufficientPrivilege),
        ("select repeat('x', 1000000000)", errors.InsufficientPrivilege),
        ("select * from incidents, pg_class", errors.InsufficientPrivilege),
        ("copy incidents from stdin", errors.ReadOnlySqlTransaction),
        ("set bogus = 1", errors.UndefinedObject),
        ("show bogus", errors.UndefinedObject),
        ("set client_encoding = 'LATIN1'", errors.InvalidParameterValue),
        (f"select {'(' * 2000}1{')' * 2000}", psycopg.Error),
    ],
)
def test_each_refusal_has_its_code(connection: psycopg.Connection, sql: str, error: type[psycopg.Error]):
    with pytest.raises(error):
        connection.execute(sql)
    assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("sql", ["", ";", " -- nothing\n"])
def test_nothing_is_answered_with_nothing(connection: psycopg.Connection, sql: str):
    assert connection.execute(sql).description is None


async def test_it_works_asynchronously(server: Serving):
    async with await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as connection:
        found = await connection.execute("select title from incidents where incident_id = %s", ["INC-42"])
        assert await found.fetchone() == ("checkout is down",)
