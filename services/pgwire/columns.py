"""Results as PostgreSQL sends them: for each column an SQL expression that brings the value near, and the last step.

What DuckDB's engine can do (casting to text, counting microseconds) it does for whole columns at once; a value that
comes out of it is a text, a number or bytes, and never needs a time zone database.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from projections.catalog import Column
from projections.postgres.types import BY_OID, ELEMENT_OF, JSON, NUMERIC, oid_of
from services.pgwire.messages import BINARY_FORMAT, NULL, Field
from services.pgwire.numeric import numeric_bytes

Encode = Callable[[Any], bytes]
"""A value that is not null as bytes, without their length."""

# Times count from 2000-01-01 in the protocol, from 1970-01-01 in DuckDB.
EPOCH_US = 946_684_800_000_000
_INFINITY = 2**63 - 1
_ARRAY_HEAD = struct.Struct("!iiiii")
_INTERVAL = struct.Struct("!qii")
_LENGTH = struct.Struct("!i")
# Most cells are short: their lengths are packed once.
_LENGTHS = [_LENGTH.pack(length) for length in range(4_096)]


class Encoding(msgspec.Struct, frozen=True):
    """How one column is sent."""

    field: Field
    expression: str
    """SQL over the column, which is written ``{}``."""
    cells: Callable[[Sequence[Any]], list[bytes]]
    """The values of one column as cells: each with its length before it."""


def encodings(columns: Sequence[Column], formats: Sequence[int]) -> list[Encoding]:
    """How some columns are sent.

    Args:
        columns: names and types.
        formats: one for each column, one for all, or none for text (the message Bind, section 55.7).

    Raises:
        ValueError: there are neither none, one, nor as many formats as columns, or one is unknown.
    """
    if len(formats) not in (0, 1, len(columns)) or not set(formats) <= {0, 1}:
        raise ValueError(f"{len(formats)} result formats do not fit {len(columns)} columns")
    each = formats if len(formats) == len(columns) else [*formats, 0][:1] * len(columns)
    return [_encoding(column, kind) for column, kind in zip(columns, each, strict=True)]


def shape(encoded: Iterable[Encoding]) -> list[str]:
    """The SQL expressions over ``c0``, ``c1``, …"""
    return [each.expression.replace("{}", f"c{number}") for number, each in enumerate(encoded)]


def _encoding(column: Column, kind: int) -> Encoding:
    oid = oid_of(column.type)
    size = BY_OID[oid].size if oid in BY_OID else -1
    field = Field(column.name, oid, size, kind)
    if element := ELEMENT_OF.get(oid):
        inner = column.type.removesuffix("[]")
        if kind == BINARY_FORMAT:
            expression, encode = _binary(element.oid, inner)
            return Encoding(field, _of_each(expression), _cells(_array_bytes(element.oid, encode)))
        expression, encode = _text(element.oid, inner)
        return Encoding(field, _of_each(expression), _cells(_array_text(encode)))
    expression, encode = _binary(oid, column.type) if kind == BINARY_FORMAT else _text(oid, column.type)
    return Encoding(field, expression, _text_cells if encode is _utf8 else _cells(encode))


def _of_each(expression: str) -> str:
    if expression == "{}":
        return expression
    return f"list_transform({{}}, lambda item: {expression.replace('{}', 'item')})"


def _text(oid: int, kind: str) -> tuple[str, Encode]:
    match oid:
        case 16:
            return "{}", _bool_text
        case 17:
            return "{}", _bytea_text
        case 700 | 701:
            return _FLOAT_TEXT, _utf8
        case 1114 if kind != "TIMESTAMP":
            return "cast(cast({} as timestamp) as varchar)", _utf8
        case 1186:
            return "replace(cast({} as varchar), 'month', 'mon')", _utf8
        case 25 if kind == "VARCHAR":
            return "{}", _utf8
        case _ if oid == JSON:
            return _json(kind), _utf8
    return "cast({} as varchar)", _utf8


def _binary(oid: int, kind: str) -> tuple[str, Encode]:
    match oid:
        case 16:
            return "{}", _bool_bytes
        case 17:
            return "{}", bytes
        case 20 | 21 | 23 | 26 | 700 | 701:
            return "{}", struct.Struct(_FORMATS[oid]).pack
        case 1082:
            return _DAYS, struct.Struct("!i").pack
        case 1083:
            return "epoch_us({})", struct.Struct("!q").pack
        case 1114 | 1184:
            return _MICROSECONDS, struct.Struct("!q").pack
        case 1186:
            return _INTERVAL_PARTS, _interval_bytes
        case 2950:
            return "cast({} as varchar)", _uuid_bytes
        case _ if oid == NUMERIC:
            return "cast({} as varchar)", numeric_bytes
    return _text(oid, kind)


_FORMATS = {20: "!q", 21: "!h", 23: "!i", 26: "!I", 700: "!f", 701: "!d"}
_FLOAT_TEXT = (
    "case when isfinite({}) then cast({} as varchar) when isnan({}) then 'NaN'"
    " when {} > 0 then 'Infinity' when {} < 0 then '-Infinity' end"
)
_DAYS = (
    "case when isfinite({}) then cast({} - date '2000-01-01' as integer) when {} > date '2000-01-01' then 2147483647"
    " when {} < date '2000-01-01' then -2147483648 end"
)
_MICROSECONDS = (
    f"case when isfinite({{}}) then epoch_us({{}}) - {EPOCH_US} when {{}} > timestamp '2000-01-01' then {_INFINITY}"
    f" when {{}} < timestamp '2000-01-01' then {-_INFINITY - 1} end"
)
# DuckDB's intervals have the same three parts; its driver for Python would turn months into days.
_INTERVAL_PARTS = (
    "case when {} is not null then [datepart('year', {}) * 12 + datepart('month', {}), datepart('day', {}),"
    " (datepart('hour', {}) * 3600 + datepart('minute', {}) * 60) * 1000000 + datepart('microsecond', {})] end"
)


def _json(kind: str) -> str:
    if kind == "JSON":
        return "cast({} as varchar)"
    return "cast(cast({} as json) as varchar)" if kind == "VARIANT" else "cast(to_json({}) as varchar)"


def _utf8(value: str) -> bytes:
    return value.encode()


def _bool_text(value: bool) -> bytes:
    return b"t" if value else b"f"


def _bool_bytes(value: bool) -> bytes:
    return b"\1" if value else b"\0"


def _bytea_text(value: bytes) -> bytes:
    return b"\\x" + bytes(value).hex().encode()


def _uuid_bytes(value: str) -> bytes:
    return bytes.fromhex(value.replace("-", ""))


def _interval_bytes(parts: Sequence[int]) -> bytes:
    months, days, microseconds = parts
    return _INTERVAL.pack(microseconds, days, months)


def _array_text(encode: Encode) -> Encode:
    def array(items: Sequence[Any]) -> bytes:
        return b"{" + b",".join(b"NULL" if item is None else _quoted(encode(item)) for item in items) + b"}"

    return array


def _quoted(item: bytes) -> bytes:
    if item and item.upper() != b"NULL" and not item.translate(None, _PLAIN):
        return item
    return b'"' + item.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


# Characters of an item that need no quotes (PostgreSQL's manual, section 8.15.6).
_PLAIN = bytes(number for number in range(256) if chr(number) not in '{}",\\ \t\n\r\v\f')


def _array_bytes(element_oid: int, encode: Encode) -> Encode:
    def array(items: Sequence[Any]) -> bytes:
        if not items:
            return struct.pack("!iii", 0, 0, element_oid)
        has_null = any(item is None for item in items)
        return _ARRAY_HEAD.pack(1, has_null, element_oid, len(items), 1) + b"".join(_cells(encode)(items))

    return array


def _cells(encode: Encode) -> Callable[[Sequence[Any]], list[bytes]]:
    def cells(values: Sequence[Any]) -> list[bytes]:
        return [NULL if value is None else _with_length(encode(value)) for value in values]

    return cells


def _text_cells(values: Sequence[str | None]) -> list[bytes]:
    return [NULL if value is None else _with_length(value.encode()) for value in values]


def _with_length(content: bytes) -> bytes:
    length = len(content)
    return (_LENGTHS[length] if length < 4_096 else _LENGTH.pack(length)) + content
