"""Query answers on the wire: JSON and CSV.

Types in JSON: a timestamp is ISO 8601 in UTC with ``Z``; a date ``2026-03-01``; an integer beyond ±(2^53 - 1) and every
DECIMAL a string, because JSON numbers are doubles in most readers (RFC 8259 section 6); an interval ISO 8601; NaN and
infinities null; a blob base64. CSV follows RFC 4180, with the same texts; NULL is an empty field.
"""

import csv
import io
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NotRequired, TypedDict

import msgspec

from projections.lens import AsOf, Lens
from projections.query import Table
from services.web.reader import Reader

# The largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2).
SAFE_INTEGER_MAX = 2**53 - 1


def json_value(value: Any) -> Any:
    """A value of DuckDB as JSON can hold it."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -SAFE_INTEGER_MAX <= value <= SAFE_INTEGER_MAX else str(value)
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return zulu(value)
        case date():
            return value.isoformat()
        case timedelta():
            return msgspec.to_builtins(value)
        case bytes() | bytearray() | memoryview():
            return b64encode(bytes(value)).decode()
        case Mapping():
            return {str(key): json_value(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [json_value(item) for item in value]
    return str(value)


def json_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows by column name as JSON can hold them."""
    return [{name: json_value(value) for name, value in row.items()} for row in rows]


class Seen(TypedDict):
    """Through which lens an answer was made."""

    position: int
    known_by: NotRequired[str]
    happened_by: NotRequired[str]


def seen_through(reader: Reader, lens: AsOf) -> Seen:
    """Through which lens an answer was made: its log position, and the bounds of the other clocks if there are any."""
    seen = Seen(position=reader.position_of(lens))
    if isinstance(lens, Lens) and lens.known_by:
        seen["known_by"] = zulu(lens.known_by)
    if isinstance(lens, Lens) and lens.happened_by:
        seen["happened_by"] = zulu(lens.happened_by)
    return seen


def zulu(moment: datetime) -> str:
    """A moment in UTC, with ``Z``; one without a zone is UTC already, as everything in SQL is."""
    return f"{(moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()}Z"


def csv_text(table: Table) -> str:
    """A table as CSV, with a header line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in table.columns)
    writer.writerows([_csv_value(value) for value in row] for row in table.rows)
    return text.getvalue()


def _csv_value(value: Any) -> str:
    plain = json_value(value)
    match plain:
        case None:
            return ""
        case str():
            return plain
        case bool():
            return "true" if plain else "false"
        case dict() | list():
            return msgspec.json.encode(plain).decode()
    return str(plain)
