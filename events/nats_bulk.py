"""Reading a long stretch of a stream as fast as JetStream gives it, for a rebuild.

nats-py spends most of a bulk read on making an object of every message. This reads the answers of batched direct get
(ADR-31) from a connection of its own and takes out of each only what `Stored` needs, which is several times faster.
The NATS client protocol is lines of text with lengths: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import ParseResult

from nats.aio.client import Client

from events.errors import LogUnavailable
from events.nats_direct_get import ANSWER_TIMEOUT_S, BATCH_MAX
from events.recorded import Stored

# Asked ahead, so that the server reads on while an answer is taken apart. Bounds what may lie in memory: two answers.
REQUESTS_AHEAD = 2
READ_BYTES = 512 * 1024

_FIELDS = re.compile(rb"Nats-Subject: ([^\r]*)\r\nNats-Sequence: (\d+)\r\nNats-Time-Stamp: ([^\r]*)")
_STATUS = re.compile(rb"NATS/1\.0 (\d{3})([^\r]*)")
_HARMLESS = (b"INFO ", b"+OK", b"PONG")
_ANSWERED = (b"204", b"404")


def can_read(client: Client) -> bool:
    """Whether the client's connection is one that this can make again: plain TCP, with a password or without."""
    url = client.connected_url
    return (
        url is not None
        and url.scheme == "nats"
        and not client.options.get("tls")
        and not callable(client.options.get("user"))
        and not callable(client.options.get("token"))
    )


async def read(client: Client, stream: str, *, after: int, through: int) -> AsyncIterator[list[Stored]]:
    """The messages of a stream after one position through another, in order.

    Raises:
        LogUnavailable: the server did not answer, or refused.
    """
    url = client.connected_url
    if url is None:
        raise LogUnavailable("the NATS server is away")
    connection = _Connection(client.new_inbox(), f"$JS.API.DIRECT.GET.{stream}")
    try:
        await connection.open(url, client.options)
        ranges = [(start, min(start + BATCH_MAX - 1, through)) for start in range(after + 1, through + 1, BATCH_MAX)]
        for number, (first, last) in enumerate(ranges[:REQUESTS_AHEAD]):
            connection.ask(number, first, last)
        for number, (_first, last) in enumerate(ranges):
            found = [stored for stored in await connection.answer(number) if stored.seq <= last]
            if number + REQUESTS_AHEAD < len(ranges):
                connection.ask(number + REQUESTS_AHEAD, *ranges[number + REQUESTS_AHEAD])
            if found:
                yield found
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        raise LogUnavailable(f"the log stopped answering a bulk read of {after + 1} to {through}: {error!r}") from error
    finally:
        connection.close()


class _Connection:
    def __init__(self, inbox: str, api: str) -> None:
        self._inbox = inbox
        self._api = api
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._buffer = b""
        self._place = 0
        self._found: dict[int, list[Stored]] = {}
        self._answered: set[int] = set()

    async def open(self, url: ParseResult, options: dict[str, Any]) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            self._reader, self._writer = await asyncio.open_connection(url.hostname, url.port)
            await self._reader.readline()  # INFO
            connect = {
                "verbose": False,
                "pedantic": False,
                "lang": "python3",
                "version": "1",
                "name": "recount bulk read",
                "protocol": 1,
                "headers": True,
                "no_responders": True,
                **_credentials(url, options),
            }
            self._writer.write(f"CONNECT {json.dumps(connect)}\r\nSUB {self._inbox}.* 1\r\n".encode())

    def ask(self, number: int, first: int, last: int) -> None:
        assert self._writer is not None
        self._found[number] = []
        request = json.dumps({"seq": first, "batch": last - first + 1})
        self._writer.write(f"PUB {self._api} {self._inbox}.{number} {len(request)}\r\n{request}\r\n".encode())

    async def answer(self, number: int) -> list[Stored]:
        while number not in self._answered:
            if not self._take_one():
                await self._fill()
        self._answered.discard(number)
        return self._found.pop(number)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    async def _fill(self) -> None:
        assert self._reader is not None
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            more = await self._reader.read(READ_BYTES)
        if not more:
            raise EOFError("the connection was closed")
        self._buffer = self._buffer[self._place :] + more
        self._place = 0

    def _take_one(self) -> bool:
        """Take one protocol message out of the buffer; False when it is not whole yet."""
        buffer, start = self._buffer, self._place
        end = buffer.find(b"\r\n", start)
        if end < 0:
            return False
        if buffer.startswith(b"HMSG ", start):
            # HMSG <subject> <subscription> <header bytes> <total bytes>
            words = buffer[start:end].split(b" ")
            body = end + 2 + int(words[3])
            stop = end + 2 + int(words[4])
            if len(buffer) < stop + 2:
                return False
            self._place = stop + 2
            self._keep(int(words[1].rpartition(b".")[2]), buffer[end + 2 : body], buffer[body:stop])
            return True
        self._place = end + 2
        line = buffer[start:end]
        if line == b"PING":
            assert self._writer is not None
            self._writer.write(b"PONG\r\n")
        elif not line.startswith(_HARMLESS):
            # -ERR, or a message without headers, which is none of the answers that were asked for.
            raise ValueError(line.decode(errors="replace"))
        return True

    def _keep(self, number: int, headers: bytes, body: bytes) -> None:
        fields = _FIELDS.search(headers)
        if fields is not None:
            subject, seq, stamp = fields.groups()
            # RFC 3339 with nanoseconds and "Z"; fromisoformat cuts to microseconds.
            self._found[number].append(Stored(int(seq), subject.decode(), datetime.fromisoformat(stamp.decode()), body))
            return
        status = _STATUS.match(headers)
        if status is None or status[1] not in _ANSWERED:
            raise ValueError(f"an answer without position: {headers!r}")
        self._answered.add(number)


def _credentials(url: ParseResult, options: dict[str, Any]) -> dict[str, str]:
    user, password = options.get("user") or url.username, options.get("password") or url.password
    if user is not None and password is not None:
        return {"user": user, "pass": password}
    token = options.get("token") or user
    return {"auth_token": token} if token else {}
