"""What a handler of the HTTP API declares for its OpenAPI document, beyond what its signature says."""

from collections.abc import Mapping
from typing import Any

import msgspec

_KEY = "declared"


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What is not in a signature."""

    is_order: bool = False
    """Whether it asks a service for something: in somebody's name, safe to send again, and refused with 409."""
    refuses: tuple[int, ...] = ()
    """Statuses with which it refuses, beside those that its kind of handler has."""
    bodies: tuple[type[msgspec.Struct], ...] = ()
    """Commands, of which the JSON that it reads by itself is one."""
    media: tuple[str, ...] = ()
    """What it answers in beside JSON, or in place of it where its `media_type` says so."""
    query: Mapping[str, str] = {}
    """Parameters of the query that it reads by itself, with what each means."""


def declared(
    *refuses: int,
    is_order: bool = False,
    bodies: tuple[type[msgspec.Struct], ...] = (),
    media: tuple[str, ...] = (),
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The handler option ``opt`` that declares it. See `Declared`."""
    return {
        _KEY: Declared(is_order=is_order, refuses=refuses, bodies=bodies, media=media, query=dict(query or {})),
    }


def declared_by(options: Mapping[str, Any]) -> Declared:
    """What the options of a handler declare."""
    found: Declared = options.get(_KEY) or Declared()
    return found


ORDER = declared(is_order=True)
"""Handler option: it asks a service for something."""
