"""Routing: which route of the tree an alert takes.

Alertmanager's semantics. An alert enters at the root, which takes everything. At each route its children are asked in
order; the first that fits takes the alert, and those after it are asked only when it says ``continue``. A route none
of whose children fit keeps the alert itself. So an alert may take several routes, and always takes one.
"""

from collections.abc import Iterator, Mapping

import msgspec

from services.rules.matchers import Matcher, unfit
from services.rules.ruleset import RouteRule


class Asked(msgspec.Struct, frozen=True):
    """A route that was asked, and the matcher that did not fit; None when all did."""

    route: RouteRule
    unfit: Matcher | None


class Routed(msgspec.Struct, frozen=True):
    """The routes that an alert takes, in order, and all that were asked."""

    routes: tuple[RouteRule, ...]
    asked: tuple[Asked, ...]


def route_of(root: RouteRule, labels: Mapping[str, str]) -> Routed:
    """The routes that an alert with these labels takes."""
    asked: list[Asked] = []
    return Routed(tuple(_taken(root, labels, asked)), tuple(asked))


def _taken(route: RouteRule, labels: Mapping[str, str], asked: list[Asked]) -> Iterator[RouteRule]:
    problem = unfit(route.matchers, labels)
    asked.append(Asked(route, problem))
    if problem is not None:
        return
    below: list[RouteRule] = []
    for child in route.routes:
        found = list(_taken(child, labels, asked))
        below += found
        if found and not child.continues:
            break
    yield from below or [route]
