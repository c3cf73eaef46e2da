"""A query ends when it is cancelled, takes too long, gives too much, or nobody takes its answer any more."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from projections.query import FOR_BI
from services.settings import PostgresSettings
from tests.pgwire.conftest import HISTORY
from tests.pgwire.serving import Serving, serving
from tests.pgwire.wire import SYNC, Wire, bind, execute, parse, text

ENDLESS = "select count(*) from range(1000000000) a, range(1000000) b where (a.range * b.range) % 7 = 3"
HALF_A_MILLION = "select range as n, 'INC-' || range as incident_id, range * 0.5 as share from range(500000)"


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose statements may take one second."""
    folder = tmp_path_factory.mktemp("brief")
    with serving(folder, HISTORY, settings=PostgresSettings(statement_timeout_s=1)) as running:
        yield running


def test_half_a_million_rows_arrive_whole_and_in_order(connection: psycopg.Connection):
    with connection.cursor(binary=True) as cursor:
        cursor.execute(HALF_A_MILLION)
        rows = cursor.fetchall()
    assert [row[0] for row in rows] == list(range(500_000))
    assert rows[-1][1] == "INC-499999"


def test_more_rows_than_allowed_are_an_error_and_no_shorter_answer(connection: psycopg.Connection):
    with pytest.raises(errors.ProgramLimitExceeded, match="more than 1,000,000 rows"):
        connection.execute(f"select * from range({FOR_BI.rows + 1})")
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_query_is_cancelled(connection: psycopg.Connection):
    canceller = threading.Timer(0.3, connection.cancel_safe)
    canceller.start()
    began = time.monotonic()
    with pytest.raises(errors.QueryCanceled, match="cancelled on request"):
        connection.execute(ENDLESS)
    canceller.join()
    assert time.monotonic() - began < 10  # the query itself would take hours
    assert connection.execute("select 1").fetchone() == (1,)


def test_a_cancel_request_needs_the_secret(server: Serving):
    with Wire(server.port) as wire:
        process, secret = struct.unpack("!iI", wire.log_in()[b"K"])
        wire.send(b"Q", text("set statement_timeout = 500; " + ENDLESS))
        with Wire(server.port) as stranger:
            stranger.say(struct.pack("!iiiI", 16, 80_877_102, process, secret ^ 1))
            stranger.expect_end()
        wire.expect(b"C")
        # The stranger's request did nothing: the query runs on until its own timeout.
        found = dict(wire.until(b"Z"))
        assert b"stopped after 0.5 s" in found[b"E"]


def test_a_session_may_allow_its_statements_less(connection: psycopg.Connection):
    connection.execute("set statement_timeout = '200ms'")
    with pytest.raises(errors.QueryCanceled, match=r"stopped after 0\.2 s"):
        connection.execute(ENDLESS)


def test_a_session_cannot_allow_them_more(brief: Serving):
    with psycopg.connect(brief.dsn, autocommit=True) as connection:
        connection.execute("set statement_timeout = '1h'")
        with pytest.raises(errors.QueryCanceled, match="stopped after 1 s"):
            connection.execute(ENDLESS)


def test_a_client_that_takes_nothing_is_left(brief: Serving):
    with Wire(brief.port) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wire.log_in()
        wire.send(
            b"Q", text("select repeat_row.column0 from repeat_row(" + "'" + "x" * 2_000 + "', num_rows = 500000)")
        )
        brief.wait_for_connections(0)


def test_a_client_that_goes_away_takes_its_query_with_it(server: Serving):
    wire = Wire(server.port)
    wire.log_in()
    wire.send(b"Q", text(ENDLESS))
    wire.socket.close()
    server.wait_for_connections(0)


def test_a_half_taken_answer_is_given_back(brief: Serving):
    with Wire(brief.port) as wire:
        wire.log_in()
        wire.send(b"Q", text("begin"))
        wire.until(b"Z")
        wire.say(parse("select * from range(10)") + bind("p") + execute("p", 2) + SYNC)
        wire.until(b"Z")
        # The same time goes by for a statement that began later.
        with psycopg.connect(brief.dsn) as other, pytest.raises(errors.QueryCanceled):
            other.execute(ENDLESS)
        wire.say(execute("p", 2) + SYNC)
        assert b"C57014\0" in dict(wire.until(b"Z"))[b"E"]


def test_an_open_answer_does_not_hold_up_a_new_warehouse_file(tmp_path: Path):
    with serving(tmp_path, HISTORY) as server, Wire(server.port) as wire:
        wire.log_in()
        wire.send(b"Q", text("begin"))
        wire.until(b"Z")
        wire.say(parse("select * from history, range(1000)") + bind("p") + execute("p", 2) + SYNC)
        wire.until(b"Z")
        server.warehouse.close()
        wire.say(execute("p", 2) + SYNC)
        assert b"C57014\0" in dict(wire.until(b"Z"))[b"E"]
