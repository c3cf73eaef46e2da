"""Messages of the PostgreSQL protocol as bytes (its manual, section 55.7): reading those of a client, writing ours."""

import asyncio
import struct
from collections.abc import Mapping, Sequence

import msgspec

PROTOCOL_3 = 3 << 16
CANCEL_REQUEST = 1234 << 16 | 5678
SSL_REQUEST = 1234 << 16 | 5679
GSS_REQUEST = 1234 << 16 | 5680

# PostgreSQL's own bound of a startup packet.
STARTUP_BYTES_MAX = 10_000
# A SCRAM message is a few hundred bytes.
PASSWORD_BYTES_MAX = 4_096
# A query is read up to 100,000 characters; parameters may come with it.
MESSAGE_BYTES_MAX = 4 << 20

TEXT_FORMAT, BINARY_FORMAT = 0, 1
NULL = b"\xff\xff\xff\xff"
"""A cell that is null."""

_INT16, _INT32 = struct.Struct("!h"), struct.Struct("!i")


class ProtocolViolation(Exception):
    """Bytes that are no message: nothing more can be read from this connection."""


class Field(msgspec.Struct, frozen=True):
    """A column of a result."""

    name: str
    type_oid: int
    size: int
    format: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error or a notice."""

    severity: str
    """ERROR, FATAL or WARNING."""
    code: str
    """SQLSTATE (PostgreSQL's manual, appendix A)."""
    message: str
    hint: str = ""
    routine: str = ""
    """Of PostgreSQL's source, where drivers go by it."""
    position: int = 0
    """The character of the query, counted from 1; 0 when none."""


class Body:
    """Reads the parts of a message.

    Every method raises `ProtocolViolation` when there is less than it needs.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def int16(self) -> int:
        """A signed number of two bytes."""
        return int(_INT16.unpack(self.take(2))[0])

    def int32(self) -> int:
        """A signed number of four bytes."""
        return int(_INT32.unpack(self.take(4))[0])

    def text(self) -> str:
        """A text that ends with a zero byte."""
        end = self._content.find(b"\0", self._place)
        if end < 0:
            raise ProtocolViolation("a text does not end")
        try:
            found = self._content[self._place : end].decode()
        except UnicodeDecodeError as error:
            raise ProtocolViolation("a text is not UTF-8") from error
        self._place = end + 1
        return found

    def cell(self) -> bytes | None:
        """A value with its length before it; None for null."""
        length = self.int32()
        return None if length == -1 else self.take(length)

    def int16s(self) -> list[int]:
        """A count and so many numbers of two bytes."""
        return [self.int16() for _ in range(self.count())]

    def count(self) -> int:
        """A number of two bytes that counts, so it has no sign."""
        return self.int16() & 0xFFFF

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length < 0 or self._place + length > len(self._content):
            raise ProtocolViolation("a message ends too early")
        self._place += length
        return self._content[self._place - length : self._place]

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._content) - self._place

    def rest(self) -> bytes:
        """What is left."""
        return self.take(self.left)


async def read_startup(reader: asyncio.StreamReader) -> tuple[int, Body]:
    """The first packet of a client, which has no kind: its code and the rest.

    Raises:
        ProtocolViolation: it is none.
        asyncio.IncompleteReadError: the client went away.
    """
    length = _INT32.unpack(await reader.readexactly(4))[0]
    if not 8 <= length <= STARTUP_BYTES_MAX:
        raise ProtocolViolation(f"a startup packet cannot be {length} bytes long")
    body = Body(await reader.readexactly(length - 4))
    return body.int32(), body


async def read_message(reader: asyncio.StreamReader, *, bytes_max: int = MESSAGE_BYTES_MAX) -> tuple[bytes, Body]:
    """The next message of a client: its kind and the rest.

    Raises:
        ProtocolViolation: it is none, or longer than allowed.
        asyncio.IncompleteReadError: the client went away.
    """
    head = await reader.readexactly(5)
    length = _INT32.unpack(head[1:])[0]
    if not 4 <= length <= bytes_max:
        raise ProtocolViolation(f"a message of {length} bytes is not taken; at most {bytes_max} are")
    return head[:1], Body(await reader.readexactly(length - 4))


def message(kind: bytes, content: bytes = b"") -> bytes:
    """A message of any kind."""
    return kind + _INT32.pack(len(content) + 4) + content


def text(value: str) -> bytes:
    """A text, which ends with a zero byte and so cannot hold one."""
    return value.replace("\0", "\ufffd").encode(errors="replace") + b"\0"


def authentication(code: int, content: bytes = b"") -> bytes:
    """A step of logging in: 0 done, 10 SASL mechanisms, 11 SASL goes on, 12 SASL ends."""
    return message(b"R", _INT32.pack(code) + content)


def parameter_status(name: str, value: str) -> bytes:
    """What a setting of the session is now."""
    return message(b"S", text(name) + text(value))


def backend_key(process: int, secret: int) -> bytes:
    """What a client sends to have its query cancelled."""
    return message(b"K", struct.pack("!iI", process, secret))


def protocol_version(unknown_options: Sequence[str]) -> bytes:
    """We speak 3.0, when a client asks for a later 3.x."""
    return message(b"v", struct.pack("!ii", 0, len(unknown_options)) + b"".join(map(text, unknown_options)))


def ready(status: bytes) -> bytes:
    """The next query may come; ``I`` idle, ``T`` in a transaction, ``E`` in one that failed."""
    return message(b"Z", status)


def row_description(fields: Sequence[Field]) -> bytes:
    """The columns of the rows that follow."""
    parts = [
        text(field.name) + struct.pack("!ihihih", 0, 0, field.type_oid, field.size, -1, field.format)
        for field in fields
    ]
    return message(b"T", _INT16.pack(len(fields)) + b"".join(parts))


def parameter_description(oids: Sequence[int]) -> bytes:
    """The types of a statement's parameters."""
    return message(b"t", struct.pack(f"!h{len(oids)}i", len(oids), *oids))


def command_complete(tag: str) -> bytes:
    """A statement is done."""
    return message(b"C", text(tag))


def problem(told: Problem) -> bytes:
    """An error, or a notice when its severity says so."""
    parts: Mapping[bytes, str] = {
        b"S": told.severity,
        b"V": told.severity,
        b"C": told.code,
        b"M": told.message,
        b"H": told.hint,
        b"P": str(told.position) if told.position else "",
        b"R": told.routine,
    }
    content = b"".join(name + text(value) for name, value in parts.items() if value)
    return message(b"N" if told.severity in ("WARNING", "NOTICE") else b"E", content + b"\0")


def cell(content: bytes) -> bytes:
    """A value with its length before it."""
    return _INT32.pack(len(content)) + content


def data_rows(columns: Sequence[Sequence[bytes]], *, kind: bytes = b"D") -> bytes:
    """Rows whose cells are given by column, each with its length before it (`NULL` for null).

    A row of COPY in binary looks the same, but for its ``kind``.
    """
    count = _INT16.pack(len(columns))
    pack = _INT32.pack
    parts: list[bytes] = []
    for row in zip(*columns, strict=True):
        body = b"".join(row)
        parts += (kind, pack(len(body) + 6), count, body)
    return b"".join(parts)


def copy_out(form: int, columns: int) -> bytes:
    """Rows of COPY follow, all of whose columns have this format."""
    return message(b"H", struct.pack(f"!bh{columns}h", form, columns, *[form] * columns))


def copy_data(content: bytes) -> bytes:
    """A row of COPY."""
    return b"d" + _INT32.pack(len(content) + 4) + content


PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_DATA = message(b"n")
EMPTY_QUERY = message(b"I")
PORTAL_SUSPENDED = message(b"s")
COPY_DONE = message(b"c")
