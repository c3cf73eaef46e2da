"""The rule set: what decides which alert opens, joins, is held back or is only recorded, as frozen structs.

One TOML document (`rules.published` keeps its text), read by `services/rules/rules_document.py`. Without one,
`BUILT_IN` decides: alerts of severity error and above open one incident a service.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

import msgspec

from events.alert import AlertSeverity
from events.incident import Severity
from services.rules.matchers import Matchers
from services.rules.time_intervals import TimeInterval

Action = Literal["open", "join", "record"]
DEFAULT_SEVERITY: Mapping[AlertSeverity, Severity] = MappingProxyType(
    {"critical": "sev1", "error": "sev2", "warning": "sev3", "info": "sev4", "unknown": "sev3"}
)
DEFAULT_POLICY = "default"
"""The escalation policy of a route that names none."""
ALL_LABELS = "..."
ROOT = "default"
"""Name of the root route, with which every route's path begins."""


class SeverityRule(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that fit count as this severe, whatever they say themselves."""

    matchers: Matchers
    severity: AlertSeverity


class RouteRule(msgspec.Struct, frozen=True, kw_only=True):
    """One route with everything that it inherits filled in."""

    path: str = ROOT
    """From the root: ``default/payments``. A route without a name is called by its matchers."""
    matchers: Matchers = ()
    continues: bool = False
    """Whether the routes after it are asked too."""
    opens_at: AlertSeverity = "error"
    group_by: tuple[str, ...] = ("service",)
    """Labels; ``("...",)`` stands for all of them."""
    group_wait: timedelta = timedelta()
    group_window: timedelta | None = None
    """How long after its declaration an open incident takes new alerts; None without a limit."""
    action: Action = "open"
    policy: str = ""
    mute: tuple[str, ...] = ()
    """Names of time intervals. Not inherited, as in Alertmanager."""
    active: tuple[str, ...] = ()
    resolve_after_clear: timedelta | None = None
    """Resolve the incident when all its alerts have been clear so long; None: people resolve."""
    expire_after: timedelta | None = None
    """An alert that was not repeated so long counts as cleared; None: only its sender clears it."""
    routes: tuple["RouteRule", ...] = ()

    def walk(self) -> Iterator["RouteRule"]:
        """This route and every one below it, as written."""
        yield self
        for route in self.routes:
            yield from route.walk()


class InhibitRule(msgspec.Struct, frozen=True, kw_only=True):
    """While an alert that fits ``source`` fires, those that fit ``target`` and agree on ``equal`` are held back."""

    name: str
    source: Matchers
    target: Matchers
    equal: tuple[str, ...] = ()


class Flapping(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that changes so often is held back until it has been quiet for a while."""

    changes: int
    """Firings and clearings, together."""
    within: timedelta
    settle: timedelta


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides about alerts."""

    severity: Mapping[AlertSeverity, Severity] = DEFAULT_SEVERITY
    """How severe an incident is that an alert opens."""
    severity_of: tuple[SeverityRule, ...] = ()
    route: RouteRule = RouteRule()
    inhibit: tuple[InhibitRule, ...] = ()
    time_intervals: Mapping[str, TimeInterval] = MappingProxyType({})
    flapping: Flapping | None = None
    depends_on: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Service to the services that it needs, as written: not theirs in turn."""

    def intervals(self, names: tuple[str, ...]) -> tuple[TimeInterval, ...]:
        """The intervals of these names."""
        return tuple(self.time_intervals[name] for name in names)

    def needs(self, service: str) -> tuple[str, ...]:
        """All that a service depends on, the nearest first; a circle ends where it began."""
        found: list[str] = []
        waiting = list(self.depends_on.get(service, ()))
        while waiting:
            name = waiting.pop(0)
            if name != service and name not in found:
                found.append(name)
                waiting.extend(self.depends_on.get(name, ()))
        return tuple(found)

    def route_at(self, path: str) -> RouteRule | None:
        """The route of a path such as ``default/payments``; None when these rules have none."""
        return next((route for route in self.route.walk() if route.path == path), None)


BUILT_IN = RuleSet()
"""What decides when nobody has published rules."""


def from_settings(opens_at: AlertSeverity, severity: Mapping[AlertSeverity, Severity]) -> RuleSet:
    """The rules that the settings ``[grouping]`` stand for."""
    return RuleSet(
        severity=MappingProxyType(dict(DEFAULT_SEVERITY) | dict(severity)), route=RouteRule(opens_at=opens_at)
    )
