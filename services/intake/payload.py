"""Reading what senders write, leniently: JSON objects whose fields may be missing, null, or of another type.

Adapters share it. Nothing here knows a sender.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from events.receipt import Receipt
from services.intake.adapters import InvalidPayload, Reply
from services.intake.signal import FINGERPRINT_LENGTH_MAX, severity_of, words

# Seconds since 1970 stay below this until the year 5138; milliseconds passed it in 1973.
_SECONDS_MAX = 100_000_000_000

UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding raises at bytes that are no JSON, nested too deeply, or not what a schema says."""

Read = TypeVar("Read")
Parsed = TypeVar("Parsed")


_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decoded_as(decoder: msgspec.json.Decoder[Read], body: bytes, name: str, *, hint: str = "") -> Read:
    """A body by its schema.

    Raises:
        InvalidPayload: it does not fit; `name` says what was expected, and `hint` what to do.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise InvalidPayload(f"not {name}: {error}{f'; {hint}' if hint else ''}") from error


def require_at_most(most: int, count: int, what: str, *, status: int = 400) -> None:
    """Refuse a payload that holds too much.

    Raises:
        InvalidPayload: with the status, there are more than `most` of `what`.
    """
    if count > most:
        raise InvalidPayload(f"{count} {what} in one request; at most {most}", status=status)


def as_parsed(parsed: Parsed, _receipt: Receipt) -> Parsed:
    """What `parse` found, for an adapter that cannot check a payload without reading all that it says."""
    return parsed


def json_of(receipt: Receipt, name: str) -> Any:
    """The payload as JSON.

    Raises:
        InvalidPayload: it is not JSON; `name` says what was expected.
    """
    return decoded_as(_ANYTHING, receipt.body, name)


def object_of(receipt: Receipt, name: str) -> dict[str, Any]:
    """The payload as a JSON object.

    Raises:
        InvalidPayload: it is not one; `name` says what was expected.
    """
    return require_object(json_of(receipt, name), name)


def require_object(value: Any, name: str) -> dict[str, Any]:
    """A JSON value that must be an object.

    Raises:
        InvalidPayload: it is not one.
    """
    if not isinstance(value, dict):
        raise InvalidPayload(f"not {name}: expected a JSON object, got {_kind(value)}")
    return value


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path inside a JSON value; None when the path leads nowhere."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def as_object(value: object) -> dict[str, Any]:
    """A value that should be a JSON object; an empty one when it is not."""
    return value if isinstance(value, dict) else {}


def unknown_severity(word: str) -> dict[str, str]:
    """The label that keeps a sender's word for severity which Recount has no word for; none for one that it knows."""
    return {"severity": word} if word and severity_of(word) == "unknown" else {}


def text_at(value: Any, *path: str | int) -> str:
    """The text at a path; any other value as JSON, nothing as empty text."""
    return words(at(value, *path)).strip()


def texts_at(value: Any, *path: str | int) -> list[str]:
    """The list of texts at a path, without the empty ones; a single value is a list of one."""
    found = at(value, *path)
    several = found if isinstance(found, list) else [found]
    return [text for each in several if (text := words(each).strip())]


def said(labels: dict[str, str]) -> dict[str, str]:
    """The labels that have a value."""
    return {name: value for name, value in labels.items() if value}


def epoch_moment(value: object) -> datetime | None:
    """A time from a number of seconds or milliseconds since 1970, or the text of one. None when it is no time."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
        return datetime.fromtimestamp(number / 1_000 if number > _SECONDS_MAX else number, UTC) if number > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def identity(*parts: str) -> str:
    """A fingerprint of several parts: readable, or its SHA-256 where it would be too long."""
    whole = " ".join(part for part in parts if part)
    if len(whole) <= FINGERPRINT_LENGTH_MAX:
        return whole
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def accepted(count: int) -> Reply:
    """The answer for a sender that reads no more of it than the status."""
    return Reply(202, b'{"status":"accepted","alerts":%d}' % count)


def _kind(value: Any) -> str:
    names: dict[type, str] = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
