"""A session asks as of a position or a time: `set recount.as_of`."""

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from services.pgwire.lens import lens_of
from services.pgwire.refusals import Refused
from tests.pgwire.conftest import HISTORY
from tests.pgwire.serving import Serving

PHASES = "select incident_id, phase from incidents order by incident_id"
DECLARED_ONLY = [("INC-42", "active")]
NOW = [("INC-42", "resolved"), ("INC-43", "active")]


def phases(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return connection.execute(PHASES).fetchall()


def test_later_statements_answer_as_known_then(connection: psycopg.Connection):
    assert phases(connection) == NOW
    connection.execute("set recount.as_of = '1'")
    assert phases(connection) == DECLARED_ONLY
    assert connection.execute("show recount.as_of").fetchone() == ("1",)
    connection.execute("reset recount.as_of")
    assert phases(connection) == NOW


def test_a_time_is_taken_too(connection: psycopg.Connection):
    connection.execute(f"set recount.as_of = '{HISTORY[0].recorded_at.isoformat()}'")
    assert phases(connection) == DECLARED_ONLY
    connection.execute("set recount.as_of to '1999-12-31T23:59Z'")
    assert phases(connection) == []


def test_the_other_clocks_are_set_alike(connection: psycopg.Connection):
    connection.execute("set recount.happened_by = '1999-12-31'")
    assert phases(connection) == []
    connection.execute("reset all")
    connection.execute("set recount.known_by = '1999-12-31'")
    assert phases(connection) == []


def test_it_is_connected_with(server: Serving):
    with psycopg.connect(server.dsn, options="-c recount.as_of=1") as connection:
        assert phases(connection) == DECLARED_ONLY
        connection.execute("set recount.as_of = '2'")
        connection.execute("reset recount.as_of")
        assert phases(connection) == DECLARED_ONLY


def test_it_ends_with_its_transaction(server: Serving):
    with psycopg.connect(server.dsn) as connection:
        connection.execute("set local recount.as_of = '1'")
        assert phases(connection) == DECLARED_ONLY
        connection.commit()
        assert phases(connection) == NOW


@pytest.mark.parametrize("value", ["yesterday", "99999", "2999-01-01", "-1"])
def test_what_cannot_be_is_refused_and_changes_nothing(connection: psycopg.Connection, value: str):
    with pytest.raises(errors.InvalidParameterValue):
        connection.execute(f"set recount.as_of = '{value}'")
    assert connection.execute("show recount.as_of").fetchone() == ("",)
    assert phases(connection) == NOW


def test_a_connection_with_a_lens_that_cannot_be_is_refused(server: Serving):
    with pytest.raises(psycopg.OperationalError, match="lies in the future"):
        psycopg.connect(server.dsn, options="-c recount.as_of=99999")


def test_a_clock_that_is_none_is_refused(connection: psycopg.Connection):
    with pytest.raises(errors.UndefinedObject):
        connection.execute("set recount.as_off = '1'")


def test_a_time_becomes_a_position_once():
    asked: list[datetime] = []

    def position_at(moment: datetime) -> int:
        asked.append(moment)
        return 7

    now = datetime(2026, 3, 1, tzinfo=UTC)
    lens = lens_of({"recount.as_of": "2026-02-01T10:00+01:00"}, last_position=9, now=now, position_at=position_at)
    assert lens is not None
    assert (lens.position, asked) == (7, [datetime(2026, 2, 1, 9, tzinfo=UTC)])
    with pytest.raises(Refused, match="it is 2026-03-01"):
        lens_of({"recount.as_of": "2026-03-02"}, last_position=9, now=now, position_at=position_at)
