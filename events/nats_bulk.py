"""Reading a long stretch of a stream as fast as JetStream gives it, for a rebuild.

nats-py spends most of a bulk read on making an object of every message, and the server most of a batched direct get on
writing headers. This lets a consumer deliver, which costs the server a third, to a connection of its own, and takes out
of each delivery only what an event needs, into columns: position and time stand in the line that announces it.
The NATS client protocol is lines of text with lengths: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

import asyncio
import json
import re
from array import array
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import ParseResult

from nats.aio.client import Client

from events.errors import LogUnavailable
from events.nats_direct_get import ANSWER_TIMEOUT_S
from events.stretch import POSITIONS, Packed, Stretch

# Asked ahead, so that the server reads on while what came is taken apart.
REQUESTS_AHEAD = 3
REQUEST_EVENTS = 1_000
REQUEST_BYTES = 4 * 1024 * 1024
READ_BYTES = 1024 * 1024
# What was asked ahead waits here and not in the server, which cuts off who does not take what it wrote.
WAITING_BYTES = REQUESTS_AHEAD * REQUEST_BYTES
# How long the server keeps the consumer when nothing more is asked; a reader has no permission to delete one.
INACTIVE_S = 60

_STATUS = re.compile(rb"NATS/1\.0 (\d{3}[^\r]*)")
_REQUEST_ENDED = re.compile(
    rb"NATS/1\.0 409 (?:Batch Completed|Message Size Exceeds MaxBytes)\r\nNats-Pending-Messages: (\d+)"
)
_HARMLESS = (b"INFO ", b"+OK", b"PONG")


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


async def read(client: Client, stream: str, *, after: int, through: int) -> AsyncIterator[Stretch]:
    """The messages of a stream after one position through another, in order.

    Raises:
        LogUnavailable: the server did not answer, or refused.
    """
    url = client.connected_url
    if url is None:
        raise LogUnavailable("the NATS server is away")
    connection = _Connection(client.new_inbox(), stream)
    try:
        await connection.open(url, client.options)
        await connection.begin(after, through - after)
        while delivered := await connection.next():
            # Where the stream has holes, as many messages reach further.
            if found := delivered.through(through):
                yield found
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        raise LogUnavailable(f"the log stopped answering a bulk read of {after + 1} to {through}: {error!r}") from error
    finally:
        connection.close()


class _Connection:
    def __init__(self, inbox: str, stream: str) -> None:
        self._inbox = inbox
        self._stream = stream
        self._consumer = ""
        self._due = 0
        self._asked = 0
        self._delivered = 0
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._buffer = b""

    async def open(self, url: ParseResult, options: dict[str, Any]) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            self._reader, self._writer = await asyncio.open_connection(url.hostname, url.port, limit=WAITING_BYTES)
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
            self._writer.write(f"CONNECT {json.dumps(connect)}\r\nSUB {self._inbox} 1\r\n".encode())

    async def begin(self, after: int, count: int) -> None:
        """Have up to so many of the messages that follow a position now delivered."""
        config = {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": after + 1,
            "ack_policy": "none",
            "mem_storage": True,
            "inactive_threshold": INACTIVE_S * 1_000_000_000,
        }
        self._publish(f"CREATE.{self._stream}", {"stream_name": self._stream, "config": config})
        while (end := self._answer_end()) is None:
            await self._fill()
        answer = json.loads(self._buffer[self._buffer.find(b"\r\n") + 2 : end])
        self._buffer = self._buffer[end + 2 :]
        if "error" in answer:
            raise ValueError(answer["error"].get("description"))
        self._consumer = answer["name"]
        self._due = min(int(answer["num_pending"]), count)
        self._ask()

    async def next(self) -> Stretch:
        """The next messages; none once all were given."""
        found = _Columns()
        wanted = min(REQUEST_EVENTS, self._due - self._delivered)
        while self._take(found, wanted) < wanted:
            self._ask()
            await self._fill()
        self._ask()
        return found.packed()

    def _ask(self) -> None:
        # The messages are there, so a request waits for none and needs no end.
        while self._asked < min(self._due, self._delivered + REQUESTS_AHEAD * REQUEST_EVENTS):
            batch = min(REQUEST_EVENTS, self._due - self._asked)
            request = {"batch": batch, "max_bytes": REQUEST_BYTES}
            self._publish(f"MSG.NEXT.{self._stream}.{self._consumer}", request)
            self._asked += batch

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _publish(self, api: str, request: dict[str, Any]) -> None:
        assert self._writer is not None
        text = json.dumps(request)
        self._writer.write(f"PUB $JS.API.CONSUMER.{api} {self._inbox} {len(text)}\r\n{text}\r\n".encode())

    async def _fill(self) -> None:
        assert self._reader is not None
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            more = await self._reader.read(READ_BYTES)
        if not more:
            raise EOFError("the connection was closed")
        self._buffer += more

    def _answer_end(self) -> int | None:
        """Where the body of the API's answer ends in the buffer; None while it is not whole."""
        while (end := self._buffer.find(b"\r\n")) >= 0:
            line = self._buffer[:end]
            if line.startswith(b"MSG "):
                stop = end + 2 + int(line.rpartition(b" ")[2])
                return stop if len(self._buffer) >= stop + 2 else None
            self._heed(line)
            self._buffer = self._buffer[end + 2 :]
        return None

    def _take(self, found: "_Columns", count: int) -> int:
        """Take whole messages out of the buffer until there are so many; how many there are now.

        The one loop of a bulk read that runs once an event.
        """
        buffer, place, delivered = self._buffer, 0, self._delivered
        seqs, subjects, times, bodies = found.seqs, found.subjects, found.recorded_us, found.bodies
        while len(seqs) < count and (end := buffer.find(b"\r\n", place)) >= 0:
            words = buffer[place:end].split(b" ")
            if words[0] not in _WORDS:
                self._heed(buffer[place:end])
                place = end + 2
                continue
            start = end + 2
            stop = start + int(words[-1])
            if len(buffer) < stop + 2:
                break
            place = stop + 2
            if len(words) < _WORDS[words[0]]:
                self._end_of_request(buffer[start:stop])
                continue
            # $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<times>.<position>.<delivery>.<time in ns>.<pending>[.…]
            tokens = words[3].split(b".")
            at = 5 if len(tokens) <= _TOKENS_WITHOUT_DOMAIN else 7
            delivered += 1
            if int(tokens[at + 1]) != delivered:
                raise ValueError(f"delivery {tokens[at + 1].decode()} came where {delivered} was due")
            seqs.append(int(tokens[at]))
            subjects.append(words[1])
            times.append(int(tokens[at + 2]) // 1_000)
            bodies.append(buffer[start + int(words[4]) : stop] if words[0] == b"HMSG" else buffer[start:stop])
        self._buffer, self._delivered = buffer[place:], delivered
        return len(seqs)

    def _end_of_request(self, headers: bytes) -> None:
        ended = _REQUEST_ENDED.match(headers)
        if ended is None:
            status = _STATUS.match(headers)
            raise ValueError((status[1] if status else headers).decode(errors="replace"))
        self._asked -= int(ended[1])

    def _heed(self, line: bytes) -> None:
        if line == b"PING":
            assert self._writer is not None
            self._writer.write(b"PONG\r\n")
        elif not line.startswith(_HARMLESS):
            raise ValueError(line.decode(errors="replace"))


# MSG <subject> <subscription> <metadata> <bytes>
# HMSG <subject> <subscription> <metadata> <header bytes> <bytes>
# What is not a delivery has no metadata, and a word less.
_WORDS = {b"MSG": 5, b"HMSG": 6}
_TOKENS_WITHOUT_DOMAIN = 9


class _Columns:
    """What was read so far."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.subjects: list[bytes] = []
        self.recorded_us: list[int] = []
        self.bodies: list[bytes] = []

    def packed(self) -> Stretch:
        return Stretch(
            array(POSITIONS, self.seqs),
            Packed.of(self.subjects),
            array(POSITIONS, self.recorded_us),
            Packed.of(self.bodies),
        )


def _credentials(url: ParseResult, options: dict[str, Any]) -> dict[str, str]:
    user, password = options.get("user") or url.username, options.get("password") or url.password
    if user is not None and password is not None:
        return {"user": user, "pass": password}
    token = options.get("token") or user
    return {"auth_token": token} if token else {}
