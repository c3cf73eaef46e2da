"""The protocol message by message, and what is sent by those who do not keep to it: an error and an end, never a trace
of the program, never a connection that hangs or a server that is gone."""

import random
import struct
from contextlib import ExitStack

import psycopg
import pytest

from services.pgwire import server as server_module
from tests.pgwire.serving import Serving
from tests.pgwire.wire import GSS_REQUEST, SSL_REQUEST, SYNC, Wire, bind, execute, message, parse, text

KINDS = {b"D": "row", b"s": "suspended", b"C": "complete", b"E": "error", b"Z": "ready", b"1": "parsed", b"2": "bound"}


@pytest.fixture(autouse=True)
def _still_there(server: Serving):
    """After each test, whatever was sent: everybody else is served, and nothing is left behind."""
    yield
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    server.wait_for_connections(0)


def told(messages: list[tuple[bytes, bytes]]) -> list[str]:
    return [KINDS.get(kind, kind.decode()) for kind, _ in messages]


def test_a_portal_gives_its_rows_in_portions(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(message(b"Q", text("begin")))
        wire.until(b"Z")
        wire.say(
            parse("select * from range(5)") + bind("p") + execute("p", 2) + execute("p", 2) + execute("p", 2) + SYNC
        )
        assert told(wire.until(b"Z")) == [
            *("parsed", "bound", "row", "row", "suspended", "row", "row", "suspended", "row", "complete", "ready")
        ]


def test_a_portal_ends_with_its_transaction(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(parse("select * from range(5)") + bind("p") + execute("p", 2) + SYNC)
        assert told(wire.until(b"Z"))[-2:] == ["suspended", "ready"]
        wire.say(execute("p", 2) + SYNC)
        wire.expect_error("34000")


def test_what_follows_an_error_is_skipped_until_sync(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(
            parse("selec")
            + bind()
            + execute()
            + message(b"Q", text("select 1"))
            + SYNC
            + message(b"Q", text("select 2"))
        )
        assert told(wire.until(b"Z")) == ["error", "ready"]
        assert [content for kind, content in wire.until(b"Z") if kind == b"D"] == [struct.pack("!hi", 1, 1) + b"2"]


def test_a_statement_is_described_before_it_is_bound(server: Serving):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(parse("select title from incidents where last_seq > $1", "s") + message(b"D", b"S" + text("s")) + SYNC)
        assert wire.expect(b"1") == b""
        assert wire.expect(b"t") == struct.pack("!hi", 1, 20)
        assert wire.expect(b"T").startswith(struct.pack("!h", 1) + b"title\0")
        wire.until(b"Z")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (bind(statement="nosuch"), "26000"),
        (execute("nosuch"), "34000"),
        (message(b"D", b"P" + text("nosuch")), "34000"),
        (parse("select 1; select 2"), "42601"),
        (parse("select 1") + message(b"B", text("") + text("") + struct.pack("!hhhhh", 0, 0, 2, 0, 0)), "08P01"),
        (parse("select 1") + message(b"B", text("") + text("") + struct.pack("!hhih", 0, 1, -1, 0)), "22P02"),
        (
            parse("select $1::int")
            + message(b"B", text("") + text("") + struct.pack("!hhhi3sh", 1, 1, 1, 3, b"abc", 0)),
            "22P02",
        ),
        (parse("select $0"), "42601"),
        (parse("select $99999"), "54000"),
        (message(b"F", b""), "0A000"),
    ],
)
def test_a_message_that_cannot_be_answered_is_an_error(server: Serving, sent: bytes, code: str):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(sent + SYNC)
        errors = [content for kind, content in wire.until(b"Z") if kind == b"E"]
        assert len(errors) == 1
        assert b"C" + text(code) in errors[0]


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack("!i", 0),
        struct.pack("!i", -1),
        struct.pack("!i", 2**31 - 1),
        struct.pack("!ii", 8, 2 << 16),
        b"GET / HTTP/1.1\r\n\r\n",
        SSL_REQUEST[:6],
        GSS_REQUEST * 9,
        struct.pack("!ii", 9, 3 << 16) + b"u",
        struct.pack("!iiii", 16, 80_877_102, 1, 1),
    ],
)
def test_a_start_that_is_none_ends_the_connection(server: Serving, sent: bytes):
    with Wire(server.port) as wire:
        wire.say(sent)
        wire.socket.shutdown(1)
        assert b"Traceback" not in b"".join(content for _, content in wire.until(b"Z"))


@pytest.mark.parametrize(
    "sent", [message(b"Q", text("select 1")), message(b"p", b"x"), b"p" + struct.pack("!i", 1 << 30)]
)
def test_whoever_has_not_logged_in_asks_nothing(server: Serving, sent: bytes):
    with Wire(server.port) as wire:
        wire.start()
        wire.expect(b"R")
        wire.say(sent)
        kind, _content = wire.read()
        assert kind == b"E"
        wire.expect_end()


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 64,
        b"Q" + struct.pack("!i", 3),
        b"Q" + struct.pack("!i", -1),
        b"Q" + struct.pack("!i", 2**31 - 1),
        message(b"Q", b"no zero byte"),
        message(b"Q", b"\xff\xfe\0"),
        message(b"P", b"\0"),
        message(b"B", text("") + text("") + struct.pack("!h", 30_000)),
        message(b"~"),
    ],
)
def test_bytes_that_are_no_message_end_the_connection(server: Serving, sent: bytes):
    with Wire(server.port) as wire:
        wire.log_in()
        wire.say(sent)
        wire.expect_error("08P01")
        wire.expect_end()


def test_random_bytes_do_no_harm(server: Serving):
    dice = random.Random(4711)
    for length in (1, 4, 8, 60, 900):
        with Wire(server.port) as stranger:
            stranger.say(dice.randbytes(length))
        with Wire(server.port) as user:
            user.log_in()
            user.say(dice.randbytes(length))


def test_what_is_said_before_the_handshake_is_not_heard_after_it(server: Serving):
    with Wire(server.port) as wire:
        wire.say(SSL_REQUEST + message(b"Q", text("select 'injected'")))
        assert wire.socket.recv(1) == b"S"


def test_strangers_in_number_do_not_shut_users_out(server: Serving):
    with ExitStack() as held:
        strangers = [held.enter_context(Wire(server.port)) for _ in range(server_module.STRANGERS_MAX + 5)]
        turned = [stranger for stranger in strangers[-5:] if stranger.read()[0] == b"E"]
        assert len(turned) == 5
    # Once those are gone, users come in again: the fixture connects.


def test_a_client_that_asks_for_gss_first_goes_on_without(server: Serving):
    with Wire(server.port) as wire:
        wire.say(GSS_REQUEST)
        assert wire.socket.recv(1) == b"N"
        wire.log_in()
        wire.send(b"X")
        wire.expect_end()
