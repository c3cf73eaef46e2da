"""Transactions bound what is set and how long cursors live; savepoints within them, too."""

from contextlib import suppress

import psycopg
import pytest
from psycopg import errors
from psycopg.pq import TransactionStatus

from tests.pgwire.serving import Serving


def shown(connection: psycopg.Connection) -> str:
    row = connection.execute("show application_name").fetchone()
    assert row is not None
    return str(row[0])


def test_a_savepoint_heals_a_transaction(server: Serving):
    with psycopg.connect(server.dsn) as connection:
        connection.execute("set application_name = 'first'")
        with suppress(errors.UndefinedColumn), connection.transaction():
            connection.execute("set application_name = 'second'")
            connection.execute("select bogus")
            pytest.fail("there is no such column")
        assert connection.info.transaction_status == TransactionStatus.INTRANS
        assert shown(connection) == "first"


def test_savepoints_nest(connection: psycopg.Connection):
    connection.execute("begin")
    for name in ("a", "b", "a"):
        connection.execute(f"savepoint {name}")
        connection.execute(f"set application_name = 'after {name}'")
    connection.execute("declare c cursor for select 1")
    connection.execute("rollback to savepoint a")  # the inner one
    assert shown(connection) == "after b"
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("fetch from c")
    connection.execute("rollback to a")
    connection.execute("release savepoint a")
    connection.execute("rollback to b")
    assert shown(connection) == "after a"
    connection.execute("release a")  # and what is within it
    with pytest.raises(errors.InvalidSavepointSpecification):
        connection.execute("release b")
    connection.execute("rollback")
    assert shown(connection) == ""


def test_a_cursor_older_than_the_savepoint_goes_on(connection: psycopg.Connection):
    connection.execute("begin")
    connection.execute("declare c cursor for select * from range(3)")
    connection.execute("savepoint a")
    with pytest.raises(errors.UndefinedColumn):
        connection.execute("select bogus")
    connection.execute("rollback to a")
    assert connection.execute("fetch all from c").fetchall() == [(0,), (1,), (2,)]
    connection.execute("commit")


@pytest.mark.parametrize("sql", ["savepoint a", "release a", "rollback to a"])
def test_a_savepoint_needs_a_transaction(connection: psycopg.Connection, sql: str):
    with pytest.raises(errors.NoActiveSqlTransaction):
        connection.execute(sql)


def test_a_commit_of_what_failed_rolls_back(connection: psycopg.Connection):
    connection.execute("begin")
    with pytest.raises(errors.UndefinedColumn):
        connection.execute("select bogus")
    for sql in ("select 1", "fetch from c", "savepoint a", "prepare p as select 1", "copy (select 1) to stdout"):
        with pytest.raises(errors.InFailedSqlTransaction):
            connection.execute(sql)
    assert connection.execute("commit").statusmessage == "ROLLBACK"


def test_a_chain_begins_again(connection: psycopg.Connection):
    connection.execute("begin")
    assert connection.execute("commit and chain").statusmessage == "COMMIT"
    assert connection.info.transaction_status == TransactionStatus.INTRANS
    connection.execute("rollback and no chain")
    assert connection.info.transaction_status == TransactionStatus.IDLE


def test_a_message_that_fails_changes_nothing(connection: psycopg.Connection):
    _ = connection.pgconn.exec_(b"set application_name = 'half'; select bogus")
    assert shown(connection) == ""


def test_what_means_nothing_is_warned_of(connection: psycopg.Connection):
    heard: list[str | None] = []
    connection.add_notice_handler(lambda diagnostic: heard.append(diagnostic.sqlstate))
    for sql in ("commit", "begin", "begin", "rollback", "rollback", "set local application_name = 'x'"):
        connection.execute(sql)
    assert heard == ["25P01", "25001", "25P01", "25P01"]
    assert shown(connection) == ""


def test_discard_all_is_for_whoever_begins_anew(connection: psycopg.Connection):
    connection.execute("prepare p as select 1")
    connection.execute("declare c cursor with hold for select 1")
    connection.execute("begin")
    with pytest.raises(errors.ActiveSqlTransaction):
        connection.execute("discard all")
    connection.execute("rollback")
    connection.execute("discard all")
    with pytest.raises(errors.InvalidSqlStatementName):
        connection.execute("execute p")
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("fetch from c")
