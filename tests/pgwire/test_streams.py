"""Long answers by COPY and by a cursor: in little memory, cut off when asked, given back when nobody takes them."""

import struct
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from projections.postgres.types import PG_TYPES, PgType
from tests.pgwire.serving import Serving
from tests.pgwire.test_limits import ENDLESS, HALF_A_MILLION
from tests.pgwire.wire import SYNC, Wire, bind, execute, parse, text
from tests.platform import wait_until

# Some 400 MB: far more than sockets hold.
WIDE = f"select range as n, '{'x' * 400}' as padding from range(900000)"
GROWTH_BYTES_MAX = 128 << 20


def nothing_is_held(server: Serving) -> None:
    server.wait_for_connections(0)
    wait_until(lambda: not server.warehouse._asking, "every answer is given back")


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


@pytest.mark.parametrize("way", [f"\\copy ({WIDE}) to '/dev/null'", f"\\set FETCH_COUNT 2000\n\\o /dev/null\n{WIDE};"])
def test_an_answer_larger_than_the_memory_it_takes(server: Serving, way: str):
    before = peak = resident_bytes()
    client = subprocess.Popen(["psql", server.dsn, "-X", "-q"], stdin=subprocess.PIPE, text=True)
    assert client.stdin is not None
    client.stdin.write(way + "\n")
    client.stdin.close()
    while client.poll() is None:
        peak = max(peak, resident_bytes())
        time.sleep(0.01)  # between two looks at the memory
    assert client.returncode == 0
    assert peak - before < GROWTH_BYTES_MAX


def test_half_a_million_rows_come_through_a_cursor(server: Serving):
    with psycopg.connect(server.dsn) as connection, connection.cursor("named", binary=True) as cursor:
        cursor.itersize = 20_000
        cursor.execute(HALF_A_MILLION)
        assert sum(row[0] == number for number, row in enumerate(cursor)) == 500_000


def test_a_copy_is_cancelled_in_the_middle(connection: psycopg.Connection):
    with connection.cursor() as cursor, pytest.raises(errors.QueryCanceled):
        read_cancelling(connection, cursor)
    assert connection.execute("select 1").fetchone() == (1,)


def read_cancelling(connection: psycopg.Connection, cursor: psycopg.Cursor) -> None:
    """Read a whole COPY, and have it cancelled after its first row."""
    with cursor.copy(f"copy ({WIDE}) to stdout") as copy:
        for number, _ in enumerate(copy):
            if not number:
                connection.cancel_safe()


def test_a_fetch_is_cancelled(connection: psycopg.Connection):
    connection.execute("begin")
    connection.execute(f"declare c cursor for {ENDLESS}")
    canceller = threading.Timer(0.3, connection.cancel_safe)
    canceller.start()
    with pytest.raises(errors.QueryCanceled):
        connection.execute("fetch from c")
    canceller.join()
    connection.execute("rollback")


@pytest.mark.parametrize(
    "asked", [f"copy ({WIDE}) to stdout", f"declare c cursor with hold for {WIDE}; fetch 900000 from c"]
)
def test_a_client_that_goes_away_in_the_middle_leaves_nothing(server: Serving, asked: str):
    wire = Wire(server.port)
    wire.log_in()
    wire.send(b"Q", text(asked))
    for _ in range(100):
        wire.read()
    wire.socket.close()
    nothing_is_held(server)


def test_a_client_that_leaves_cursors_open_leaves_nothing(server: Serving):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("declare c cursor with hold for select * from history, range(10000)")
        connection.execute("fetch 2 from c")
        assert server.warehouse._asking
    nothing_is_held(server)


def test_a_fetch_is_taken_in_portions(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.send(b"Q", text("begin; declare c scroll cursor for select * from range(9)"))
        wire.until(b"Z")
        for step in ("fetch 5 from c", "fetch backward 5 from c"):
            wire.say(parse(step) + bind() + execute("", 2) + execute("", 2) + execute("", 2) + SYNC)
            kinds = b"".join(kind for kind, _ in wire.until(b"Z"))
            assert kinds == (b"12DDsDDsDCZ" if step == "fetch 5 from c" else b"12DDsDDCCZ")


def test_an_error_in_a_pipeline_skips_to_its_sync_and_no_further(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        good = parse("select 1") + bind() + execute()
        wire.say(good + parse("select bogus") + bind() + execute() + good + SYNC + good + SYNC)
        assert b"".join(kind for kind, _ in wire.until(b"Z")) == b"12DCEZ"
        assert b"".join(kind for kind, _ in wire.until(b"Z")) == b"12DCZ"


def test_small_messages_are_not_kept_back(server: Serving):
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.pgconn.prepare(b"s", b"select 1")
        took = []
        for _ in range(20):
            begin = time.perf_counter()
            connection.pgconn.exec_prepared(b"s", [])
            took.append(time.perf_counter() - begin)
    # A message that waits for an acknowledgement takes 40 ms, each time and on any machine.
    assert min(took) < 0.03


@pytest.mark.parametrize("oid", [25, 1043, 1009, 114])
def test_a_text_with_a_zero_byte_is_refused(connection: psycopg.Connection, oid: int):
    value = b"a\0b" if oid != 1009 else struct.pack("!iiiiii3s", 1, 0, 25, 1, 1, 3, b"a\0b")
    result = connection.pgconn.exec_params(b"select $1", [value], param_types=[oid], param_formats=[1])
    assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"22P02"


# Where types begin and end, and what is none of their values.
EXTREMES = [
    *(b"", b"\0", b"\1", b"\xff" * 4, b"\0" * 4, b"\0" * 8, b"\x7f" + b"\xff" * 3, b"\x80" + b"\0" * 3),
    *(b"\x7f" + b"\xff" * 7, b"\x80" + b"\0" * 7, b"\x7f" + b"\xff" * 15, b"\x80" + b"\0" * 15, b"\xff\xfe"),
    *(b"infinity", b"-infinity", b"NaN", b"{}", b"{1,NULL}", b"{{1},{2}}", b'{"', b"\\x0g", b"\\400", b"1e400"),
    *(b"294276-12-31 23:59:59.999999", b"4713-01-01 BC", b"178000000 years", b"1" * 200),
    struct.pack("!hhHHh", 1, 32_767, 0, 0, 1),  # numerics
    struct.pack("!hhHHh", 1, -32_768, 0, 16_383, 1),
    struct.pack("!hhHH", 0, 0, 0xC000, 0),
    struct.pack("!iiiiii", 1, 0, 23, 1, 1, -1),  # arrays
    struct.pack("!iiiii", 1, 0, 25, 2**31 - 1, 1),
    struct.pack("!iii", 6, 0, 23) + struct.pack("!ii", 1, 1) * 6,
    struct.pack("!qii", -(2**63), -(2**31), -(2**31)),  # intervals
    struct.pack("!qii", 2**63 - 1, 2**31 - 1, 2**31 - 1),
]


@pytest.mark.parametrize("kind", PG_TYPES, ids=lambda kind: kind.name)
def test_whatever_comes_as_a_value_is_answered_or_refused(connection: psycopg.Connection, kind: PgType):
    for oid in filter(None, (kind.oid, kind.array_oid)):
        name = f"p{oid}".encode()
        connection.pgconn.prepare(name, b"select $1", [oid])
        for value in EXTREMES:
            for form in (0, 1):
                result = connection.pgconn.exec_prepared(name, [value], [form], form)
                code = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
                assert code in (None, b"22P02", b"42000"), (oid, value, form, result.error_message)
    assert connection.pgconn.exec_params(b"select $1", [None], param_types=[kind.oid]).get_value(0, 0) is None
