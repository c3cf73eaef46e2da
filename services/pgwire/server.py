"""The server: its socket, its connections, and their number."""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from projections.warehouse import Warehouse
from services.pgwire import messages
from services.pgwire.answering import Answering
from services.pgwire.line import ClientGone
from services.pgwire.login import Cancel, LoggedIn, Login, Turned, turn_away
from services.pgwire.messages import ProtocolViolation
from services.pgwire.refusals import Refused, fatal
from services.pgwire.session import Session
from services.pgwire.turns import Turns
from services.sql_users import SqlUsers

logger = logging.getLogger("recount.pgwire")

LOGIN_S_MAX = 10.0
# Connections that have not logged in yet, beside those that have: a flood of them must not shut users out for long.
STRANGERS_MAX = 64
# A client that went away without a word is noticed after two minutes.
KEEPALIVE_IDLE_S, KEEPALIVE_EVERY_S, KEEPALIVE_TRIES = 60, 20, 3
CLOSE_S_MAX = 5.0

# What a connection may end by without anybody having to know.
_ORDINARY = (asyncio.IncompleteReadError, ConnectionError, ClientGone, Turned, ssl.SSLError, TimeoutError)


class PgServer:
    """Speaks PostgreSQL's protocol.

    Args:
        warehouse: gives the warehouse of the moment.
        users: who may log in.
        tls: how connections are encrypted.
        needs_tls: whether others are refused.
        salt_key: a secret (`services.sql_users.stand_in`).
        connections_max: how many users may be connected at once.
        timeout_s: how long a statement may take.
        now: tells the present moment.
    """

    def __init__(
        self,
        warehouse: Callable[[], Warehouse],
        users: SqlUsers,
        *,
        tls: ssl.SSLContext,
        needs_tls: bool,
        salt_key: bytes,
        connections_max: int,
        timeout_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._answering = Answering(warehouse, now)
        self._turns = Turns()
        self._login = Login(users, tls, needs_tls=needs_tls, salt_key=salt_key)
        self._connections_max = connections_max
        self._timeout_s = timeout_s
        self._sessions: dict[tuple[int, int], Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._next_process = 1
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many users are connected."""
        return len(self._sessions)

    async def start(self, listener: socket.socket) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._taken, sock=listener)

    async def stop(self) -> None:
        """Take no more, and end those that there are."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S_MAX)
        self._turns.close()
        self._answering.close()

    def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        _prepare_socket(writer)
        try:
            logged_in = await self._as_stranger(reader, writer, writers.append)
            if isinstance(logged_in, Cancel):
                self._cancel(logged_in)
            else:
                await self._attend(logged_in)
        except ProtocolViolation as error:
            await _say(writers[-1], messages.problem(fatal("08P01", str(error))))
        except _ORDINARY:
            pass
        except asyncio.CancelledError:
            await _say(
                writers[-1], messages.problem(fatal("57P01", "Recount is stopping", "Connect again in a moment."))
            )
        except Exception:  # one connection must not take the others with it
            logger.exception("a connection failed")
            await _say(writers[-1], messages.problem(fatal("XX000", "internal error")))
        finally:
            # Not closed in peace: what a client does not take would be kept for it.
            for each in writers:
                each.transport.abort() if each.transport.get_write_buffer_size() else each.close()

    async def _as_stranger(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        replaced: Callable[[asyncio.StreamWriter], None],
    ) -> LoggedIn | Cancel:
        if self._strangers >= STRANGERS_MAX:
            await turn_away(writer, "53300", "too many connections are logging in", "Try again in a moment.")
        self._strangers += 1
        try:
            async with asyncio.timeout(LOGIN_S_MAX):
                return await self._login.run(reader, writer, replaced)
        finally:
            self._strangers -= 1

    def _cancel(self, asked: Cancel) -> None:
        # Without an answer, whether or not there is such a session (PostgreSQL's manual, section 55.2.8).
        if session := self._sessions.get((asked.process, asked.secret)):
            session.cancel()

    async def _attend(self, logged_in: LoggedIn) -> None:
        if len(self._sessions) >= self._connections_max:
            hint = "Close others, or raise postgres.max_connections."
            await turn_away(logged_in.writer, "53300", f"{len(self._sessions)} users are connected already", hint)
        key = (self._next_process, secrets.randbits(32))
        self._next_process = self._next_process % 0x7FFFFFFF + 1
        session = Session(logged_in, self._answering, self._turns, self._timeout_s)
        self._sessions[key] = session
        try:
            try:
                await session.check_lens()
            except Refused as error:
                await turn_away(logged_in.writer, error.code, str(error), error.hint)
            told = [messages.parameter_status(*each) for each in logged_in.variables.told().items()]
            logged_in.writer.write(messages.authentication(0) + b"".join(told) + messages.backend_key(*key))
            await session.run()
        finally:
            del self._sessions[key]


async def _say(writer: asyncio.StreamWriter, content: bytes) -> None:
    """The last word, if the client takes it."""
    with suppress(Exception):
        writer.write(content)
        async with asyncio.timeout(1.0):
            await writer.drain()


def _prepare_socket(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is None:
        return
    # The answer to one statement is several small messages. Kept back until the client acknowledges the first, they
    # would come 40 ms late; asyncio sees to that only for sockets whose protocol was named as they were made.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_S),
        ("TCP_KEEPINTVL", KEEPALIVE_EVERY_S),
        ("TCP_KEEPCNT", KEEPALIVE_TRIES),
    ):
        if hasattr(socket, option):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
