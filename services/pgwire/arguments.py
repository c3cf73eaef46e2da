"""Values of parameters, which come as text or binary, as what DuckDB takes.

Every parameter stands in a cast to its type, so a text is enough where DuckDB reads it as PostgreSQL does.
"""

import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from projections.postgres.types import BY_OID, ELEMENT_OF, NUMERIC, without_zone
from services.pgwire.messages import BINARY_FORMAT, Body, ProtocolViolation
from services.pgwire.numeric import numeric_value

_EPOCH = datetime(2000, 1, 1)
_INFINITY = 2**63 - 1
# Levels of lists in a value; DuckDB's columns here have one.
_DIMENSIONS_MAX = 6


class BadArgument(Exception):
    """A value that cannot be read as its type."""


def arguments(values: Sequence[bytes | None], formats: Sequence[int], oids: Sequence[int]) -> list[Any]:
    """The values of a statement's parameters.

    Args:
        values: as they came; None for null.
        formats: one for each, one for all, or none for text.
        oids: the types.

    Raises:
        BadArgument: the numbers do not fit, or a value cannot be read; names the parameter.
    """
    if len(values) != len(oids):
        raise BadArgument(f"there are {len(values)} values for {len(oids)} parameters")
    if len(formats) not in (0, 1, len(values)) or not set(formats) <= {0, 1}:
        raise BadArgument(f"{len(formats)} formats do not fit {len(values)} parameters")
    each = formats if len(formats) == len(values) else [*formats, 0][:1] * len(values)
    found = []
    for number, (value, kind, oid) in enumerate(zip(values, each, oids, strict=True), 1):
        try:
            found.append(None if value is None else _value(value, kind, oid))
        except (ValueError, ArithmeticError, struct.error, ProtocolViolation, TypeError) as error:
            name = BY_OID[oid].sql_name if oid in BY_OID else str(oid)
            raise BadArgument(f"parameter ${number} is no {name}: {error}") from error
    return found


def _value(value: bytes, kind: int, oid: int) -> Any:
    element = ELEMENT_OF.get(oid)
    if kind == BINARY_FORMAT:
        return _binary_array(Body(value)) if element else _from_binary(value, oid)
    text = _text(value)
    return _text_array(text, element.oid) if element else _from_text(text, oid)


def _from_text(text: str, oid: int) -> Any:
    match oid:
        case 16:
            return _boolean(text)
        case 17:
            return bytes.fromhex(text[2:]) if text.startswith("\\x") else _unescaped(text)
        case 1082 | 1083:
            return without_zone(text, BY_OID[oid].name)
    return text


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    for meaning, words in ((True, ("true", "yes", "on", "1")), (False, ("false", "no", "off", "0"))):
        if word and any(each.startswith(word) for each in words) and word != "o":
            return meaning
    raise ValueError(f"{text!r} is neither true nor false")


def _unescaped(text: str) -> bytes:
    """The older text form of bytea: ``\\ooo`` in octal, ``\\\\`` for a backslash."""
    parts = text.split("\\\\")
    decoded = [piece.encode() for piece in parts]
    for number, part in enumerate(parts):
        head, *escaped = part.split("\\")
        decoded[number] = head.encode() + b"".join(bytes([int(piece[:3], 8)]) + piece[3:].encode() for piece in escaped)
    return b"\\".join(decoded)


def _from_binary(value: bytes, oid: int) -> Any:
    decode = _BINARY.get(oid)
    return decode(value) if decode else _text(value)


def _text(value: bytes) -> str:
    if b"\0" in value:
        raise ValueError("a text cannot hold a zero byte")
    return value.decode()


def _number(form: str) -> Callable[[bytes], Any]:
    packed = struct.Struct(form)
    return lambda value: packed.unpack(value)[0]


def _bool(value: bytes) -> bool:
    if value not in (b"\0", b"\1"):
        raise ValueError("it is neither 0 nor 1")
    return value == b"\1"


def _timestamp(value: bytes) -> str:
    (count,) = struct.unpack("!q", value)
    if count in (_INFINITY, -_INFINITY - 1):
        return "infinity" if count > 0 else "-infinity"
    return (_EPOCH + timedelta(microseconds=count)).isoformat(sep=" ")


def _timestamptz(value: bytes) -> str:
    text = _timestamp(value)
    return text if text.endswith("infinity") else f"{text}+00"


def _date(value: bytes) -> str:
    (count,) = struct.unpack("!i", value)
    if count in (2**31 - 1, -(2**31)):
        return "infinity" if count > 0 else "-infinity"
    return date.fromordinal(_EPOCH.toordinal() + count).isoformat()


def _time(value: bytes) -> str:
    (count,) = struct.unpack("!q", value)
    if not 0 <= count < 86_400_000_000:
        raise ValueError("it is no time of a day")
    return (datetime.min + timedelta(microseconds=count)).time().isoformat()


def _interval(value: bytes) -> str:
    microseconds, days, months = struct.unpack("!qii", value)
    return f"{months} months {days} days {microseconds} microseconds"


def _jsonb(value: bytes) -> str:
    if value[:1] != b"\1":
        raise ValueError("jsonb has another version than 1")
    return value[1:].decode()


_BINARY: dict[int, Callable[[bytes], Any]] = {
    16: _bool,
    17: bytes,
    20: _number("!q"),
    21: _number("!h"),
    23: _number("!i"),
    26: _number("!I"),
    700: _number("!f"),
    701: _number("!d"),
    1082: _date,
    1083: _time,
    1114: _timestamp,
    1184: _timestamptz,
    1186: _interval,
    NUMERIC: lambda value: str(numeric_value(value)),
    2950: lambda value: str(UUID(bytes=value)),
    3802: _jsonb,
}


def _binary_array(body: Body) -> list[Any]:
    dimensions, _has_null, oid = body.int32(), body.int32(), body.int32()
    if not 0 <= dimensions <= _DIMENSIONS_MAX:
        raise ValueError(f"an array cannot have {dimensions} dimensions")
    lengths = []
    for _ in range(dimensions):
        lengths.append(body.int32())
        body.int32()  # where its numbering begins
    # Each item takes four bytes at least, so whoever announces more sends nonsense.
    if any(not 0 <= length <= body.left // 4 for length in lengths):
        raise ValueError("an array ends too early")

    def items(level: int) -> list[Any]:
        if level == len(lengths):
            raise ValueError("an array has no dimension")
        if level < len(lengths) - 1:
            return [items(level + 1) for _ in range(lengths[level])]
        cells = [body.cell() for _ in range(lengths[level])]
        return [None if cell is None else _from_binary(cell, oid) for cell in cells]

    return items(0) if lengths else []


def _text_array(text: str, oid: int) -> list[Any]:
    """``{a,"b c",NULL}``; a list in a list is not taken."""
    stripped = text.strip()
    if not stripped.startswith("{") or not stripped.endswith("}"):
        raise ValueError(f"{text[:40]!r} does not stand in braces")
    found: list[Any] = []
    item, is_quoted, place = "", False, 1
    while place < len(stripped):
        character = stripped[place]
        if character == '"':
            piece, place = _quoted_item(stripped, place + 1)
            item, is_quoted = item + piece, True
        elif character in ",}":
            if is_quoted or item.strip() or character == "," or found:
                word = item if is_quoted else item.strip()
                found.append(None if word.upper() == "NULL" and not is_quoted else _from_text(word, oid))
            item, is_quoted = "", False
        elif character == "{":
            raise ValueError("a list in a list is not taken")
        elif character == "\\":
            place += 1
            item += stripped[place : place + 1]
        else:
            item += character
        place += 1
    return found


def _quoted_item(text: str, place: int) -> tuple[str, int]:
    item = ""
    while place < len(text) and text[place] != '"':
        if text[place] == "\\":
            place += 1
        item += text[place : place + 1]
        place += 1
    if place >= len(text):
        raise ValueError("a quoted item does not end")
    return item, place
