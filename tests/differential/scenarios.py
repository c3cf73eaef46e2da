"""Scenarios for Alertmanager and Recount alike: routes, inhibition rules, silences and alerts, made from a seed.

A scenario is written down twice, as a part of Alertmanager's configuration and as a rule set. In Alertmanager, one
process serves all of them, kept apart by the label ``scenario``.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from services.rules.matchers import Matcher
from services.rules.time_intervals import TimeInterval, parse_entry

# Values as people write them, and as they write them once in a while.
VALUES = ("a", "b", "prod", "päge", 'say "hi"', "back\\slash", "two\nlines", "a,b", "{x}")
# `service` and `severity` are labels that Recount adds for matchers where an alert has none.
NAMES = ("team", "cluster", "env", "service", "severity")
PATTERNS = ("a|b", ".*", ".+", "p.*", "", "(?i)A|PROD", "[ab]", "say .*", "[^a]*", r"back\\.*", "a.b")
GROUPS = (["team"], ["cluster", "team"], ["..."], [], ["service"], ["env"])
# A time interval must not begin or end while a scenario runs.
CALM = timedelta(minutes=5)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A route with what both understand."""

    name: str
    matchers: tuple[Matcher, ...]
    continues: bool
    group_by: list[str]
    mute: tuple[str, ...]
    active: tuple[str, ...]
    routes: "tuple[Route, ...]"

    def walk(self, above: str = "") -> "Iterator[tuple[str, Route]]":
        """Every route with its path."""
        path = f"{above}/{self.name}" if above else self.name
        yield path, self
        for route in self.routes:
            yield from route.walk(path)


class Inhibit(msgspec.Struct, frozen=True, kw_only=True):
    """An inhibition rule."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: list[str]


class Silenced(msgspec.Struct, frozen=True, kw_only=True):
    """A silence."""

    matchers: tuple[Matcher, ...]
    state: str
    """``active``, ``pending`` or ``ended``."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario."""

    name: str
    route: Route
    inhibit: tuple[Inhibit, ...]
    silences: tuple[Silenced, ...]
    alerts: tuple[dict[str, str], ...]
    """Their labels; ``n`` tells them apart."""
    over: frozenset[str]
    """Which of them have stopped by the time they are told."""
    intervals: dict[str, dict[str, Any]]

    @property
    def toml(self) -> str:
        """The rule set, in TOML."""
        parts = ['[route]\nopens_at = "info"\n' + _toml_fields(self.route, is_root=True)]
        parts += [_toml_route(route, "route.routes") for route in self.route.routes]
        for number, rule in enumerate(self.inhibit):
            sides = f"source = {_texts(rule.source)}\ntarget = {_texts(rule.target)}\nequal = {_json(rule.equal)}"
            parts.append(f'[[inhibit]]\nname = "rule {number}"\n{sides}\n')
        for name, entry in self.intervals.items():
            fields = "\n".join(f"{field} = {_json(value)}" for field, value in entry.items())
            parts.append(f"[[time_intervals.{name}.times]]\n{fields}\n")
        return "\n".join(parts)

    @property
    def matcher(self) -> Matcher:
        """What keeps it apart in Alertmanager."""
        return Matcher("scenario", "=", self.name)


def scenarios(seed: int, count: int, now: datetime) -> list[Scenario]:
    """So many scenarios; the same seed gives the same ones but for time intervals that are about to change."""
    random = Random(seed)
    return [_scenario(random, f"s{number}", now) for number in range(count)]


def posted_alerts(found: list[Scenario], now: datetime) -> bytes:
    """The alerts of all scenarios as they are posted to ``/api/v2/alerts``, and one that is notified last."""
    end, over = (now + timedelta(hours=1)).isoformat(), (now - timedelta(seconds=1)).isoformat()
    alerts = [
        {
            "labels": labels | {"scenario": scenario.name},
            "startsAt": over if labels["n"] in scenario.over else now.isoformat(),
            "endsAt": over if labels["n"] in scenario.over else end,
        }
        for scenario in found
        for labels in scenario.alerts
    ]
    alerts.append({"labels": {"scenario": "last"}, "startsAt": now.isoformat(), "endsAt": end})
    return json.dumps(alerts).encode()


def alertmanager_config(found: list[Scenario], url: str) -> tuple[str, list[tuple[str, str]]]:
    """Alertmanager's configuration, and scenario and route of each receiver, whose number ends its address."""
    receivers: list[tuple[str, str]] = []
    routes = [_am_route(each.route, each.name, "", receivers, [str(each.matcher)]) for each in found]
    # Notified last: by then every other group has waited as long as it must.
    last = {"receiver": "last", "matchers": ['scenario="last"'], "group_wait": "9s"}
    config = {
        "route": {
            "receiver": "nobody",
            "group_wait": "4s",
            "group_interval": "1m",
            "repeat_interval": "1h",
            "routes": [*routes, last],
        },
        "receivers": [
            {"name": "nobody"},
            {"name": "last", "webhook_configs": [{"url": f"{url}/last", "send_resolved": False}]},
            *(
                {"name": f"r{number}", "webhook_configs": [{"url": f"{url}/{number}", "send_resolved": False}]}
                for number in range(len(receivers))
            ),
        ],
        "inhibit_rules": [
            {
                "source_matchers": [*map(str, rule.source), str(each.matcher)],
                "target_matchers": [*map(str, rule.target), str(each.matcher)],
                "equal": [*rule.equal, "scenario"],
            }
            for each in found
            for rule in each.inhibit
        ],
        "time_intervals": [
            {"name": f"{each.name}-{name}", "time_intervals": [_am_entry(entry)]}
            for each in found
            for name, entry in each.intervals.items()
        ],
    }
    return json.dumps(config, ensure_ascii=False), receivers  # JSON is YAML


def _scenario(random: Random, name: str, now: datetime) -> Scenario:
    intervals = {f"t{number}": _entry(random, now) for number in range(random.choice((0, 0, 1, 2)))}
    alerts = tuple(_alert(random, number) for number in range(random.randint(1, 6)))
    return Scenario(
        name=name,
        route=_route(random, "default", random.choice((1, 2, 3)), tuple(intervals)),
        inhibit=tuple(_inhibit(random) for _ in range(random.choice((0, 1, 1, 2)))),
        silences=tuple(_silence(random) for _ in range(random.choice((0, 0, 1, 2)))),
        alerts=alerts,
        over=frozenset(alert["n"] for alert in alerts if random.random() < 0.1),
        intervals=intervals,
    )


def _route(random: Random, name: str, depth: int, intervals: tuple[str, ...]) -> Route:
    width = random.randint(0, 3) if depth else 0
    return Route(
        name=name,
        matchers=() if name == "default" else _matchers(random, random.choice((0, 1, 1, 2))),
        continues=name != "default" and random.random() < 0.35,
        # An empty list is one group in Recount, and "as above" in Alertmanager: only at the root is that the same.
        group_by=random.choice(GROUPS if name == "default" else [group for group in GROUPS if group]),
        mute=tuple(each for each in intervals if random.random() < 0.2),
        active=tuple(each for each in intervals if random.random() < 0.2),
        routes=tuple(_route(random, f"r{number}", depth - 1, intervals) for number in range(width)),
    )


def _inhibit(random: Random) -> Inhibit:
    equal = random.sample(NAMES, random.choice((0, 1, 1, 2)))
    return Inhibit(source=_matchers(random, random.choice((1, 2))), target=_matchers(random, 1), equal=equal)


def _silence(random: Random) -> Silenced:
    state = random.choice(("active", "active", "active", "pending", "ended"))
    return Silenced(matchers=_matchers(random, random.choice((1, 2))), state=state)


def _matchers(random: Random, count: int) -> tuple[Matcher, ...]:
    return tuple(_matcher(random) for _ in range(count))


def _matcher(random: Random) -> Matcher:
    name = random.choice(NAMES)
    if random.random() < 0.4:
        return Matcher(name, random.choice(("=~", "=~", "!~")), random.choice(PATTERNS))
    value = random.choice(VALUES[:3]) if random.random() < 0.7 else random.choice((*VALUES, ""))
    return Matcher(name, random.choice(("=", "=", "!=")), value)


def _alert(random: Random, number: int) -> dict[str, str]:
    labels = {"alertname": random.choice(("DiskFull", "NodeDown")), "n": str(number)}
    for name in NAMES:
        if random.random() < 0.6:
            labels[name] = random.choice(VALUES[:3]) if random.random() < 0.75 else random.choice(VALUES)
    return labels


def _entry(random: Random, now: datetime) -> dict[str, Any]:
    days = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    while True:
        fields: dict[str, Any] = {
            "times": [random.choice(("00:00-12:00", "06:00-22:00", "12:00-24:00", "00:00-24:00"))],
            "weekdays": [random.choice((*days, "monday:friday", "sunday:saturday"))],
            "days_of_month": [random.choice(("1:15", "16:31", "-10:-1", "1:-1", "25"))],
            "months": [random.choice(("january:june", "7:12", "november"))],
            "years": [random.choice(("2020", f"{now.year}", "2025:2035"))],
        }
        chosen = {name: fields[name] for name in fields if random.random() < 0.4}
        chosen["location"] = random.choice(("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"))
        # One that is about to change gives way to another.
        change = TimeInterval(name="it", entries=(parse_entry(chosen, "UTC"),)).next_change(now)
        if change is None or change - now > CALM:
            return chosen


def _am_route(
    route: Route, scenario: str, above: str, receivers: list[tuple[str, str]], own: list[str]
) -> dict[str, Any]:
    path = f"{above}/{route.name}" if above else route.name
    receivers.append((scenario, path))
    return {
        "receiver": f"r{len(receivers) - 1}",
        "matchers": [*map(str, route.matchers), *own],
        "continue": route.continues,
        "group_by": route.group_by,
        "mute_time_intervals": [f"{scenario}-{name}" for name in route.mute],
        "active_time_intervals": [f"{scenario}-{name}" for name in route.active],
        "routes": [_am_route(child, scenario, path, receivers, []) for child in route.routes],
    }


def _am_entry(entry: dict[str, Any]) -> dict[str, Any]:
    if "times" not in entry:
        return entry
    times = [text.split("-") for text in entry["times"]]
    return entry | {"times": [{"start_time": start, "end_time": end} for start, end in times]}


def _toml_route(route: Route, key: str) -> str:
    head = f"[[{key}]]\nname = {_json(route.name)}\ncontinue = {_json(route.continues)}\n"
    below = [_toml_route(child, f"{key}.routes") for child in route.routes]
    return "\n".join([f"{head}matchers = {_texts(route.matchers)}\n{_toml_fields(route)}", *below])


def _toml_fields(route: Route, *, is_root: bool = False) -> str:
    return "".join(
        f"{name} = {_json(list(value))}\n"
        for name, value in (
            ("group_by", route.group_by),
            ("mute_time_intervals", route.mute),
            ("active_time_intervals", route.active),
        )
    )


def _texts(matchers: tuple[Matcher, ...]) -> str:
    return _json([str(matcher) for matcher in matchers])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # its strings and lists are TOML, too
