"""Which path belongs to whom: templates such as ``/v2/alerts/{identifier}/close``, and what a receipt's target says.

Pure. The door finds the adapter by it, and an adapter reads from the stored target which of its routes was meant.
"""

from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from events.receipt import Receipt
from services.intake.adapters import TARGET_HEADER, Route

Owner = TypeVar("Owner")

# Fields of a query; as many as a form has with us. More are no request but an attack on memory.
QUERY_FIELDS_MAX = 100


class Found(msgspec.Struct, frozen=True):
    """A template that a path fits."""

    template: str
    owners: dict[str, Any]
    """Whose it is, by method."""
    parameters: dict[str, str]
    """What stands for each ``{name}``, percent-decoded."""


class Routes(Generic[Owner]):
    """Templates and their owners. A path without parameters wins over one with them."""

    def __init__(self) -> None:
        self._literal: dict[str, Found] = {}
        self._by_length: dict[int, list[tuple[tuple[str, ...], Found]]] = {}

    def add(self, route: Route, owner: Owner) -> None:
        """Give a route to somebody.

        Raises:
            ValueError: it belongs to somebody already.
        """
        parts = tuple(route.template.split("/"))
        found = next(
            (found for _parts, found in self._by_length.get(len(parts), ()) if found.template == route.template), None
        )
        if found is None:
            found = self._literal.setdefault(route.template, Found(route.template, {}, {}))
            if "{" in route.template:
                del self._literal[route.template]
                self._by_length.setdefault(len(parts), []).append((parts, found))
                self._by_length[len(parts)].sort(key=lambda one: sum(part.startswith("{") for part in one[0]))
        if found.owners.setdefault(route.method, owner) is not owner:
            raise ValueError(f"{route.method} {route.template} has two owners")

    def find(self, path: str, method: str) -> Found | None:
        """The template that a percent-encoded path without a slash at its end fits, best one that has the method."""
        found = self._literal.get(path)
        if found is not None and method in found.owners:
            return found
        parts = path.split("/")
        for template, other in self._by_length.get(len(parts), ()):
            parameters = _fitting(template, parts)
            if parameters is not None and (found is None or method in other.owners):
                found = Found(other.template, other.owners, parameters)
                if method in other.owners:
                    return found
        return found


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a request was about, beside its body."""

    method: str
    template: str
    """The adapter's route, empty for its hook."""
    parameters: dict[str, str] = {}
    query: dict[str, str] = {}


def target_of(receipt: Receipt, routes: tuple[Route, ...]) -> Target:
    """What the request behind a receipt was about; its hook, when the receipt does not say.

    Args:
        receipt: with or without `TARGET_HEADER`.
        routes: of its adapter.
    """
    method, _, address = receipt.headers.get(TARGET_HEADER, "").partition(" ")
    path, _, query = address.partition("?")
    parts = path.split("/")
    for route in routes:
        parameters = _fitting(tuple(route.template.split("/")), parts) if route.method == method else None
        if parameters is not None:
            return Target(method=method, template=route.template, parameters=parameters, query=query_fields(query))
    return Target(method=method or "POST", template="", query=query_fields(query))


def query_fields(query: str) -> dict[str, str]:
    """The fields of a query, the first of each name; empty when there are more than `QUERY_FIELDS_MAX`."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _fitting(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(template) != len(parts):
        return None
    parameters: dict[str, str] = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{") and part:
            parameters[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return parameters
