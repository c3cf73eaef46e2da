"""PREPARE, EXECUTE and DEALLOCATE as statements, beside those that a driver prepares by the protocol."""

import psycopg
import pytest
from psycopg import errors

from services.pgwire.holdings import STATEMENTS_CHARS_MAX
from tests.pgwire.serving import Serving
from tests.pgwire.test_psql import scripted

TITLE = "prepare title as select title from incidents where incident_id = $1"


def test_a_statement_is_executed_again_and_again(connection: psycopg.Connection):
    connection.execute(TITLE)
    titles = [connection.execute(f"execute title('INC-{number}')").fetchone() for number in (42, 43, 44)]
    assert titles == [("checkout is down",), ("search is slow",), None]


@pytest.mark.parametrize(
    ("types", "question", "values", "row"),
    [
        ("", "select 1", "", (1,)),
        ("(int)", "select $1 + 1", "(41)", (42,)),
        ("(int, text)", "select $1, $2", "(-1, 'a, (b')", (-1, "a, (b")),
        ("(text, text)", "select $2, $1", "(lower('A'), null)", (None, "a")),
        ("(numeric(10, 2))", "select $1", "(1.5)", (1.5,)),
        ("(text[])", "select $1", "('{a,\"b c\"}')", (["a", "b c"],)),
        ("(double precision, unknown)", "select $1, $2", "(2.5, 'x')", (2.5, "x")),
        ("", "select count(*)::int from incidents where last_seq < $1", "(3 + 0)", (1,)),
        ("(boolean)", "select $1", "(1 = 1)", (True,)),
    ],
)
def test_values_are_expressions_of_the_declared_types(
    connection: psycopg.Connection, types: str, question: str, values: str, row: tuple
):
    connection.execute(f"prepare p {types} as {question}")
    assert connection.execute(f"execute p {values}").fetchone() == row


def test_it_shares_its_names_with_the_protocol(connection: psycopg.Connection):
    connection.execute("prepare p as select 7")
    connection.pgconn.exec_prepared(b"p", [])
    assert connection.pgconn.exec_prepared(b"p", []).get_value(0, 0) == b"7"
    connection.pgconn.prepare(b"q", b"select $1::int + 1")
    assert connection.execute("execute q(1)").fetchone() == (2,)
    connection.execute("deallocate prepare p")
    with pytest.raises(errors.InvalidSqlStatementName):
        connection.execute("execute p")
    connection.execute("deallocate all")
    with pytest.raises(errors.InvalidSqlStatementName):
        connection.execute("deallocate q")


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("execute nosuch", errors.InvalidSqlStatementName),
        ("deallocate nosuch", errors.InvalidSqlStatementName),
        (TITLE, errors.DuplicatePreparedStatement),
        ("execute title", errors.SyntaxError),
        ("execute title('INC-42', 1)", errors.SyntaxError),
        ("execute title('INC-42') now", errors.SyntaxError),
        ("execute title(('INC-42')", errors.SyntaxError),
        ("execute title((select title from log_rows))", errors.UndefinedColumn),
        ("execute title(range(3))", errors.InsufficientPrivilege),
        ("prepare p (nosuch) as select 1", errors.UndefinedObject),
        ("prepare p as insert into incidents values (1)", errors.InsufficientPrivilege),
        ("prepare p as", errors.SyntaxError),
        ("prepare p as prepare q as select 1", errors.InsufficientPrivilege),
        ("prepare transaction 'x'", errors.FeatureNotSupported),
        ("prepare", errors.SyntaxError),
    ],
)
def test_what_cannot_be_has_its_code(connection: psycopg.Connection, sql: str, error: type[psycopg.Error]):
    connection.execute(TITLE)
    with pytest.raises(error):
        connection.execute(sql)
    assert connection.execute("execute title('INC-42')").fetchone() == ("checkout is down",)


def test_a_statement_that_executes_itself_is_refused(connection: psycopg.Connection):
    connection.pgconn.prepare(b"s", b"execute s")
    with pytest.raises(errors.FeatureNotSupported):
        connection.execute("execute s")


def test_an_error_points_into_the_whole_statement(connection: psycopg.Connection):
    with pytest.raises(errors.UndefinedColumn) as caught:
        connection.execute("prepare p as select bogus from incidents")
    assert caught.value.diag.statement_position == "21"


def test_statements_have_an_end_together(connection: psycopg.Connection):
    long = "select '" + "x" * 99_000 + "'"
    for number in range(STATEMENTS_CHARS_MAX // len(long)):
        connection.execute(f"prepare p{number} as {long}")
    with pytest.raises(errors.ProgramLimitExceeded, match="longer than"):
        connection.execute(f"prepare one_more as {long}")
    connection.execute("discard all")
    connection.execute(f"prepare p as {long}")


def test_psql_describes_a_question_without_running_it(server: Serving):
    shown = scripted(server, "select title, opened_at, last_seq, 1.5::decimal(3, 1) as share from incidents \\gdesc\n")
    assert shown.splitlines() == [
        "title|text",
        "opened_at|timestamp without time zone",
        "last_seq|bigint",
        "share|numeric",
    ]
