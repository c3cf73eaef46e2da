"""From the first byte of a connection to a user who has logged in."""

import asyncio
import re
import ssl
from collections.abc import Callable

import msgspec

from services.pgwire import messages
from services.pgwire.messages import Body, ProtocolViolation
from services.pgwire.questions import DATABASE
from services.pgwire.refusals import Refused, fatal
from services.pgwire.scram import MECHANISM, LoginFailed, ScramServer
from services.pgwire.variables import Variables
from services.sql_users import SqlUsers, Verifier, stand_in

# GSS and TLS may each be asked for once before a startup packet.
NEGOTIATIONS_MAX = 2
TLS_HANDSHAKE_S = 5.0
# PostgreSQL's own answer, which says nothing of whether there is such a user.
WRONG_PASSWORD = "28P01"


class Cancel(msgspec.Struct, frozen=True):
    """A connection that only asks for a query of another one to be cancelled."""

    process: int
    secret: int


class LoggedIn(msgspec.Struct, frozen=True):
    """A user, and what they connected with."""

    user: str
    variables: Variables
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Turned(Exception):
    """A connection that was refused and told so."""


class Login:
    """Logs one connection in.

    Args:
        users: who may.
        tls: how connections are encrypted.
        needs_tls: whether one that is not is refused.
        salt_key: a secret (`services.sql_users.stand_in`).
    """

    def __init__(self, users: SqlUsers, tls: ssl.SSLContext, *, needs_tls: bool, salt_key: bytes) -> None:
        self._users = users
        self._tls = tls
        self._needs_tls = needs_tls
        self._salt_key = salt_key

    async def run(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        replaced: Callable[[asyncio.StreamWriter], None],
    ) -> LoggedIn | Cancel:
        """Log in.

        Args:
            reader: the connection.
            writer: the same.
            replaced: told of the writer that takes the place of this one when the connection becomes encrypted.

        Raises:
            Turned: it was refused.
            ProtocolViolation: it does not speak the protocol.
        """
        is_encrypted = False
        for _ in range(NEGOTIATIONS_MAX + 1):
            code, body = await messages.read_startup(reader)
            if code == messages.CANCEL_REQUEST:
                return Cancel(body.int32(), body.int32() & 0xFFFFFFFF)
            if code == messages.GSS_REQUEST or (code == messages.SSL_REQUEST and is_encrypted):
                writer.write(b"N")
            elif code == messages.SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                reader, writer = await self._encrypt(writer)
                replaced(writer)
                is_encrypted = True
            elif code >> 16 == 3:
                return await self._start(reader, writer, code, body, is_encrypted)
            else:
                await turn_away(writer, "0A000", f"protocol {code >> 16}.{code & 0xFFFF} is not spoken; 3.0 is")
        raise ProtocolViolation("it negotiates without end")

    async def _encrypt(self, writer: asyncio.StreamWriter) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # With a new reader: what was sent before the handshake must not count as said in private.
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await loop.start_tls(
            writer.transport, protocol, self._tls, server_side=True, ssl_handshake_timeout=TLS_HANDSHAKE_S
        )
        if transport is None:
            raise ConnectionError("the connection ended during the handshake")
        protocol.connection_made(transport)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _start(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        code: int,
        body: Body,
        is_encrypted: bool,
    ) -> LoggedIn:
        if self._needs_tls and not is_encrypted:
            hint = "Connect with sslmode=require, or verify-full with the certificate."
            await turn_away(writer, "28000", "this address takes encrypted connections only", hint)
        asked = _startup_parameters(body)
        unknown = sorted(name for name in asked if name.startswith("_pq_."))
        if code != messages.PROTOCOL_3 or unknown:
            writer.write(messages.protocol_version(unknown))
        user = asked.get("user", "")
        if not user:
            await turn_away(writer, "28000", "no user is named", "Connect with user=NAME.")
        await self._authenticate(reader, writer, user)
        database = asked.get("database") or user
        if database not in (DATABASE, user):
            await turn_away(writer, "3D000", f'database "{database}" does not exist', f"Connect to {DATABASE}.")
        variables = Variables(user, is_encrypted=is_encrypted)
        try:
            for name, value in _settings(asked):
                variables.begin_with(name, value)
        except Refused as error:
            await turn_away(writer, error.code, str(error), error.hint)
        return LoggedIn(user, variables, reader, writer)

    async def _authenticate(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: str) -> None:
        login = ScramServer(await asyncio.to_thread(self._verifier, user))
        try:
            writer.write(messages.authentication(10, messages.text(MECHANISM) + b"\0"))
            body = await _password_message(reader, writer)
            if body.text() != MECHANISM:
                raise LoginFailed("the mechanism is another")
            writer.write(messages.authentication(11, login.first(body.cell() or b"")))
            body = await _password_message(reader, writer)
            writer.write(messages.authentication(12, login.final(body.rest())))
        except LoginFailed:
            await turn_away(writer, WRONG_PASSWORD, f'password authentication failed for user "{user}"')

    def _verifier(self, user: str) -> Verifier:
        found = self._users.find(user)
        return found.verifier if found else stand_in(user, self._salt_key)


async def turn_away(writer: asyncio.StreamWriter, code: str, message: str, hint: str = "") -> None:
    """Say why a connection is refused.

    Raises:
        Turned: always.
    """
    writer.write(messages.problem(fatal(code, message, hint)))
    await writer.drain()
    raise Turned(message)


async def _password_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Body:
    await writer.drain()
    kind, body = await messages.read_message(reader, bytes_max=messages.PASSWORD_BYTES_MAX)
    if kind != b"p":
        raise ProtocolViolation(f"{kind!r} came before a password")
    return body


def _startup_parameters(body: Body) -> dict[str, str]:
    found: dict[str, str] = {}
    while body.left and (name := body.text()):
        found[name] = body.text()
    return found


# What a client says of the connection, and not of the session.
_OF_THE_CONNECTION = ("user", "database", "options", "replication")
_OPTION = re.compile(r"(?:-c\s*|--)([\w.\-]+)=((?:\\.|\S)*)")


def _settings(asked: dict[str, str]) -> list[tuple[str, str]]:
    """Settings out of a startup packet: by themselves, and in ``options`` as ``-c name=value``."""
    found = [
        (name.replace("-", "_"), re.sub(r"\\(.)", r"\1", value))
        for name, value in _OPTION.findall(asked.get("options", ""))
    ]
    found += [
        (name, value)
        for name, value in asked.items()
        if name not in _OF_THE_CONNECTION and not name.startswith("_pq_.")
    ]
    return found
