"""Intake's SMTP door: a mail to ``<key>@…`` is a payload. ``250`` means that it is on disk.

Only integration keys of the sender ``email`` are taken as recipients; nothing is ever relayed. An answer of 4xx makes
the other server try again, 5xx return the mail to whoever sent it. Credentials are taken out before anything is stored.
With a certificate STARTTLS is offered (RFC 3207), and asked for where the settings say so.
"""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import MessageError
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from events.errors import LogError
from events.receipt import Receipt, Receipts
from services.clock import Clock
from services.intake.adapters import InvalidPayload, adapters
from services.intake.keys import Key, Keys
from services.intake.metrics import Metrics

logger = logging.getLogger("recount.intake")

SENDER = "email"
CONTENT_TYPE = "message/rfc822"
# Bytes. As of every other payload (`http.BODY_BYTES_MAX`): NATS carries at most 1 MiB a message, headers included.
MAIL_BYTES_MAX = 960 * 1024
# A mail is copied once a recipient; who needs more alerts than this sends more mails.
RECIPIENTS_MAX = 10
# Each may hold a whole mail in memory. Mail servers queue and come again.
CONNECTIONS_MAX = 50
# Seconds without a command, after which a connection is given up. RFC 5321 4.5.3.2.7 asks for 300.
IDLE_S = 300.0
# Seconds in which open connections may finish when intake stops.
GRACE_S = 2.0


class MailDoor:
    """What aiosmtpd asks about each mail; its method names are the library's.

    Args:
        receipts: keeps what comes.
        keys: who may send.
        clock: says when it came.
        metrics: counts.
    """

    def __init__(self, receipts: Receipts, keys: Keys, clock: Clock, metrics: Metrics) -> None:
        self._receipts = receipts
        self._keys = keys
        self._clock = clock
        self._metrics = metrics

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Whether a recipient is an integration key."""
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return f"452 4.5.3 at most {RECIPIENTS_MAX} recipients in one mail"
        try:
            key = await self._keys.find(_secret(address), self._clock.now())
        except LogError as error:
            return f"451 4.3.0 {_line(error)}"
        if refused := _refused(key):
            self._metrics.refused.labels(550).inc()
            return refused
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Store a mail, once a recipient."""
        adapter = adapters()[SENDER]
        now = self._clock.now()
        body = envelope.original_content or b""
        problem: InvalidPayload | None = None
        try:
            keys = {secret: await self._keys.find(secret, now) for secret in map(_secret, envelope.rcpt_tos)}
            known = {secret: key for secret, key in keys.items() if key is not None and not _refused(key)}
            if len(known) != len(keys):
                return "550 5.7.1 the integration key was revoked"
            for secret, key in known.items():
                body = mail_without(secret, key.key_id, body)
            for key in known.values():
                receipt = Receipt(
                    source=SENDER,
                    integration=key.key_id,
                    received_at=now,
                    content_type=CONTENT_TYPE,
                    body=body,
                )
                await self._receipts.put(receipt)
                try:
                    adapter.parse(receipt)
                except InvalidPayload as error:
                    problem = error
        except LogError as error:
            self._metrics.refused.labels(451).inc()
            return f"451 4.3.1 {_line(error)}"
        if problem is not None:
            # Kept all the same: the translator meets it again and makes a dead letter of it.
            self._metrics.invalid.labels(SENDER).inc()
            return f"550 5.6.0 {_line(problem)}"
        self._metrics.stored.labels(SENDER).inc()
        return "250 2.6.0 stored"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever goes wrong, the other server is to try again: the mail must not be lost."""
        logger.error("intake: the mail door failed", exc_info=error)
        return "451 4.3.0 it failed here; try again"


def _secret(address: str) -> str:
    # "key+anything@host": what follows a plus is the sender's own business.
    return address.rpartition("@")[0].strip('"').partition("+")[0]


def _refused(key: Key | None) -> str:
    if key is None:
        return "550 5.1.1 no integration key has that name"
    if key.is_revoked:
        return f"550 5.7.1 {key.key_id} was revoked"
    if key.sender != SENDER:
        return f"550 5.7.1 {key.key_id} is for {key.sender}, not for mail"
    return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:400].encode("ascii", "replace").decode()


def mail_without(secret: str, key_id: str, body: bytes) -> bytes:
    """A mail with the key's id where the secret was, also inside encoded headers and parts.

    Args:
        secret: the local part of the address.
        key_id: of the integration key.
        body: the mail as it came.
    """
    body = body.replace(secret.encode(), key_id.encode())
    try:
        message: Any = message_from_bytes(body, policy=policy.SMTP)
        changed = False
        for name, value in list(message.items()):
            if secret in str(value):
                del message[name]
                message[name] = " ".join(str(value).replace(secret, key_id).split())
                changed = True
        for part in message.walk():
            content = part.get_content() if part.get_content_maintype() == "text" else ""
            if isinstance(content, str) and secret in content:
                part.set_content(content.replace(secret, key_id), subtype=part.get_content_subtype())
                changed = True
        return bytes(message.as_bytes()) if changed else body
    except (MessageError, ValueError, LookupError, RecursionError, AttributeError, IndexError, TypeError):
        # It cannot be read as a mail, so nothing is encoded in it either.
        return body


class _Connection(SMTP):
    """One connection, unless there are too many."""

    # Bytes. RFC 5321 allows 1,000, and monitoring systems that write HTML by hand do not keep to it.
    line_length_limit = 64 * 1024

    def __init__(self, door: MailDoor, open_now: "_Open", tls: ssl.SSLContext | None, *, require_tls: bool) -> None:
        super().__init__(
            door,
            data_size_limit=MAIL_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="Recount",
            timeout=IDLE_S,
            loop=asyncio.get_running_loop(),
            tls_context=tls,
            require_starttls=require_tls,
        )
        self._open_now = open_now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn away what would be one too many. Once it is encrypted, a connection is made anew."""
        if self not in self._open_now.connections and len(self._open_now.connections) >= CONNECTIONS_MAX:
            assert isinstance(transport, asyncio.Transport), "SMTP runs over TCP"
            transport.write(b"421 4.3.2 too many connections; try again\r\n")
            transport.close()
            return
        self._open_now.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        if self in self._open_now.connections:
            self._open_now.discard(self)
            super().connection_lost(error)


class _Open:
    """The connections that are open now."""

    def __init__(self) -> None:
        self.connections: set[_Connection] = set()
        self.is_empty = asyncio.Event()
        self.is_empty.set()

    def add(self, connection: _Connection) -> None:
        self.connections.add(connection)
        self.is_empty.clear()

    def discard(self, connection: _Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self.is_empty.set()


class MailServer:
    """The open SMTP port.

    Args:
        door: decides about mails.
        tls: how connections may be encrypted; None: they cannot be.
        require_tls: whether mails that come unencrypted are refused.
    """

    def __init__(self, door: MailDoor, tls: ssl.SSLContext | None = None, *, require_tls: bool = False) -> None:
        self._door = door
        self._tls = tls
        self._require_tls = require_tls
        self._open_now = _Open()
        self._server: asyncio.Server | None = None

    async def open(self, listener: socket.socket) -> None:
        """Take connections on a bound socket."""
        # The library tells every command at level INFO, and an address here is a key.
        logging.getLogger("mail").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._door, self._open_now, self._tls, require_tls=self._require_tls), sock=listener
        )

    async def close(self) -> None:
        """Take no more, and let what is under way finish for a moment."""
        if self._server is None:
            return
        self._server.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._open_now.is_empty.wait(), GRACE_S)
        for connection in list(self._open_now.connections):
            # That of an encrypted connection is a class of its own.
            if isinstance(connection.transport, asyncio.WriteTransport):
                connection.transport.abort()
