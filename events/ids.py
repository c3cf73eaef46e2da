"""Identifiers: how they look, how they are made, and how repeated work gets the same one.

Ids inside subjects match ``[A-Za-z0-9_-]{1,64}``. A sender's own key is free text, so it is hashed for the subject
(`key_of`) and kept whole in the data.
"""

import hashlib
import re
import secrets
import time

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

# 20 hex digits are 80 bits: a chance of one in a million of any collision among 1.5 billion keys.
KEY_HEX_DIGITS = 20
# 32 hex digits, as wide as a UUID: event ids are compared across the whole log.
EVENT_ID_HEX_DIGITS = 32


def is_id(text: str) -> bool:
    """Whether the text may stand in a subject as one token."""
    return ID_PATTERN.fullmatch(text) is not None


def new_event_id() -> str:
    """A fresh event id: 48 bits of Unix milliseconds, then 80 random bits, as 32 hex digits (sorts by creation)."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def new_id(prefix: str) -> str:
    """A fresh opaque id such as ``per-7f3k2m9qx4``: ten characters of base 32, 50 random bits."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{prefix}-{''.join(secrets.choice(alphabet) for _ in range(10))}"


def derived_event_id(cause_id: str, *parts: str) -> str:
    """The id of what is said in answer to an event: the same answer to the same cause always gets the same id."""
    return _digest(cause_id, *parts)[:EVENT_ID_HEX_DIGITS]


def key_of(*parts: str) -> str:
    """A subject-safe key for foreign text: the same parts always give the same 20 hex digits."""
    return _digest(*parts)[:KEY_HEX_DIGITS]


def incident_id(number: int) -> str:
    """``INC-42`` for 42."""
    return f"INC-{number}"


def incident_number(identifier: str) -> int:
    """42 for ``INC-42``.

    Raises:
        ValueError: the text is not an incident id.
    """
    prefix, _, digits = identifier.partition("-")
    if prefix != "INC" or not digits.isdigit():
        raise ValueError(f"{identifier!r} is not an incident id such as INC-42")
    return int(digits)


def _digest(*parts: str) -> str:
    # Lengths are hashed too, so that ("ab", "c") and ("a", "bc") differ.
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
