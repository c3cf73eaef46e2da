"""Advice: what in a rule set is allowed and probably not what somebody meant. Pure.

Nothing here is refused: rules that were published once must be readable for ever.
"""

from collections.abc import Iterator, Mapping, Sequence

from services.rules.matchers import Matcher, Matchers
from services.rules.ruleset import DEFAULT_POLICY, RouteRule, RuleSet


def advice_on(rules: RuleSet) -> tuple[str, ...]:
    """One sentence for each thing that is probably not meant, in the order of the document."""
    return (
        *_shadowed_severities(rules),
        *_about_routes(rules.route, ()),
        *_unused_intervals(rules),
        *_inhibiting_nothing(rules),
        *_circles(rules.depends_on),
    )


def _shadowed_severities(rules: RuleSet) -> Iterator[str]:
    for number, rule in enumerate(rules.severity_of):
        for before in range(number):
            if _takes_all(rules.severity_of[before].matchers, rule.matchers):
                yield (
                    f"severity_of[{number}] is never asked: severity_of[{before}] fits whatever it fits, and the first "
                    "that fits counts"
                )
                break


def _about_routes(route: RouteRule, above: Matchers) -> Iterator[str]:
    matchers = (*above, *route.matchers)
    contradiction = _contradiction(matchers)
    if contradiction:
        yield f"route {route.path} takes nothing: no alert has {' and '.join(map(str, contradiction))}"
    for number, child in enumerate(route.routes):
        before = next((one for one in route.routes[:number] if _stops(one, child)), None)
        if before is not None:
            yield (
                f"route {child.path} is never asked: {before.path} before it takes whatever fits it; put it first, or "
                "let that one say continue"
            )
        yield from _about_continuing(child, route.routes[number + 1 :])
        yield from _about_routes(child, matchers)


def _stops(before: RouteRule, route: RouteRule) -> bool:
    return not before.continues and _takes_all(before.matchers, route.matchers)


def _about_continuing(route: RouteRule, after: Sequence[RouteRule]) -> Iterator[str]:
    """An alert has one place, so of several routes that let it through the first one's policy is paged."""
    if not route.continues:
        return
    first = _policies(route)
    others = {policy: path for other in after for policy, path in _policies(other).items() if policy not in first}
    if first and others:
        named = ", ".join(f"{path} (policy {policy})" for policy, path in others.items())
        yield (
            f"route {route.path} says continue and pages policy {', '.join(first)}: an alert that it lets through "
            f"opens one incident there, and does not page for {named}; let it only record "
            '(action = "record"), or name a policy that reaches everybody'
        )


def _policies(route: RouteRule) -> dict[str, str]:
    """The policies that a route and those below it page, and the first route of each."""
    found: dict[str, str] = {}
    for one in route.walk():
        if one.action == "open":
            found.setdefault(one.policy or DEFAULT_POLICY, one.path)
    return found


def _unused_intervals(rules: RuleSet) -> Iterator[str]:
    used = {name for route in rules.route.walk() for name in (*route.mute, *route.active)}
    for name in rules.time_intervals:
        if name not in used:
            yield f"no route names the time interval {name!r} in mute_time_intervals or active_time_intervals"


def _inhibiting_nothing(rules: RuleSet) -> Iterator[str]:
    for rule in rules.inhibit:
        if set(rule.source) == set(rule.target):
            yield (
                f"inhibit {rule.name!r} holds nothing back: its source and its target are the same alerts, and one "
                "that fits both is not held back by another that does"
            )


def _circles(depends_on: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    told: set[frozenset[str]] = set()
    for service in depends_on:
        circle = _circle(service, depends_on)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            yield (
                f"services depend on each other in a circle: {' -> '.join(circle)}; whose alert comes first opens the "
                "incident, and those of the others join it"
            )


def _circle(service: str, depends_on: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shortest way from a service back to itself; empty when there is none."""
    ways: list[tuple[str, ...]] = [(service,)]
    seen = {service}
    while ways:
        way = ways.pop(0)
        for needed in depends_on.get(way[-1], ()):
            if needed == service:
                return (*way, service)
            if needed not in seen:
                seen.add(needed)
                ways.append((*way, needed))
    return ()


def _takes_all(before: Matchers, matchers: Matchers) -> bool:
    """Whether what fits the later matchers fits the earlier ones for certain."""
    return set(before) <= set(matchers)


def _contradiction(matchers: Matchers) -> tuple[Matcher, ...]:
    """Two matchers that never fit together; empty when none were found."""
    for number, one in enumerate(matchers):
        for other in matchers[:number]:
            if one.name == other.name and one.value != other.value and one.operator == other.operator == "=":
                return (other, one)
            if one.name == other.name and one.value == other.value and {one.operator, other.operator} == {"=", "!="}:
                return (other, one)
    return ()
