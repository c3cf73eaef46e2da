"""Reading a rule set from TOML; errors name the key, what is there, what is expected and what to do."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from events.alert import ALERT_SEVERITIES, AlertSeverity
from events.errors import BadConfiguration
from events.incident import Severity
from services.rules.durations import parse_duration
from services.rules.matchers import Matchers, parse_all, written
from services.rules.ruleset import (
    ALL_LABELS,
    DEFAULT_SEVERITY,
    ROOT,
    Action,
    Flapping,
    InhibitRule,
    RouteRule,
    RuleSet,
    SeverityRule,
)
from services.rules.time_intervals import TimeInterval, check_zone, parse_entry
from services.toml_reader import TomlReader

# Bytes. A fact may take 60 KiB, and line breaks and quotes take two bytes each in JSON.
TEXT_BYTES_MAX = 40 * 1024
# Asked one after the other for every alert that fires; some hundred take a few milliseconds.
ROUTES_MAX = 1_000
ROUTE_DEPTH_MAX = 16
INHIBIT_RULES_MAX = 200
NAME_CHARS_MAX = 64

HINT = "docs/rules.md explains every key; `recount rules show --example` prints a set to begin with."
_TABLES = ("severity", "severity_of", "route", "inhibit", "time_intervals", "flapping", "services")
_ROUTE_KEYS = (
    "name", "matchers", "continue", "opens_at", "group_by", "group_wait", "group_window", "action", "policy",
    "mute_time_intervals", "active_time_intervals", "resolve_after_clear", "expire_after", "routes",
)  # fmt: skip
Made = TypeVar("Made")


def parse_rules(text: str, file: str = "rules") -> RuleSet:
    """The rule set of a TOML document; what it leaves out is as in `BUILT_IN`.

    Args:
        text: the document.
        file: how errors call it.

    Raises:
        BadConfiguration: names the key, what is there and what is expected.
    """
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES_MAX:
        raise BadConfiguration(
            f"{file}: a rule set takes at most {TEXT_BYTES_MAX // 1024} KiB, this one takes "
            f"{len(text.encode('utf-8', 'replace')) // 1024} KiB",
            hint="Give alerts labels that say what the rules list one by one, and match on these.",
        )
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfiguration(f"{file}: no TOML: {error}", hint=HINT) from error
    return _Reading(file).rules(document)


def written_settings(opens_at: AlertSeverity, severity: Mapping[AlertSeverity, Severity]) -> str:
    """The TOML of the rules that the settings ``[grouping]`` stand for."""
    severities = "".join(f'{name} = "{level}"\n' for name, level in severity.items())
    return f'[severity]\n{severities}\n[route]\nopens_at = "{opens_at}"\ngroup_by = ["service"]\n'


class _Reading:
    """One document on its way to a rule set."""

    def __init__(self, file: str) -> None:
        self._reader = TomlReader(file, hint=HINT)
        self._file = file
        self._intervals: Mapping[str, TimeInterval] = {}
        self._routes = 0

    def rules(self, document: dict[str, Any]) -> RuleSet:
        """The whole."""
        self._reader.refuse_unknown(document, _TABLES, where="")
        severity = self._severities(document.get("severity", {}))
        self._intervals = {
            self._name(name, f"time_intervals.{name}"): self._interval(name, table)
            for name, table in self._mapping(document.get("time_intervals", {}), "time_intervals").items()
        }
        root = self._mapping(document.get("route", {}), "route")
        for key in ("name", "matchers", "continue"):
            if key in root:
                raise self._reader.wrong(f"route.{key}", "the root takes every alert; put it on a route below it")
        route = self._route(root, RouteRule(), "route", depth=0)
        return RuleSet(
            severity=MappingProxyType(dict(DEFAULT_SEVERITY) | severity),
            severity_of=tuple(
                self._severity_of(table, f"severity_of[{number}]")
                for number, table in enumerate(self._list(document.get("severity_of", []), "severity_of"))
            ),
            route=route,
            inhibit=self._inhibit(self._list(document.get("inhibit", []), "inhibit")),
            time_intervals=MappingProxyType(dict(self._intervals)),
            flapping=self._flapping(document["flapping"]) if "flapping" in document else None,
            depends_on=MappingProxyType(self._services(document.get("services", {}))),
        )

    def _route(self, table: dict[str, Any], above: RouteRule, key: str, *, depth: int) -> RouteRule:
        self._routes += 1
        if self._routes > ROUTES_MAX:
            raise self._reader.wrong(key, f"expected at most {ROUTES_MAX} routes")
        if depth > ROUTE_DEPTH_MAX:
            raise self._reader.wrong(key, f"routes lie at most {ROUTE_DEPTH_MAX} deep")
        self._reader.refuse_unknown(table, _ROUTE_KEYS, where=f"{key}.")
        matchers = self._matchers(table.get("matchers", []), f"{key}.matchers")
        path = ROOT
        if depth:
            name = self._name(table["name"], f"{key}.name") if "name" in table else written(matchers)
            path = f"{above.path}/{name}"
        read = _Fields(self._reader, table, key)
        own = RouteRule(
            path=path,
            matchers=matchers,
            continues=read.field("continue", bool, False),
            opens_at=read.field("opens_at", AlertSeverity, above.opens_at),
            group_by=read.field("group_by", tuple[str, ...], above.group_by),
            group_wait=read.duration("group_wait", above.group_wait) or timedelta(),
            group_window=read.duration("group_window", above.group_window),
            action=read.field("action", Action, above.action),
            policy=read.field("policy", str, above.policy),
            mute=read.field("mute_time_intervals", tuple[str, ...], ()),
            active=read.field("active_time_intervals", tuple[str, ...], ()),
            resolve_after_clear=read.duration("resolve_after_clear", above.resolve_after_clear),
            expire_after=read.duration("expire_after", above.expire_after),
        )
        self._check_route(own, key)
        below: list[RouteRule] = []
        for number, child in enumerate(self._list(table.get("routes", []), f"{key}.routes")):
            made = self._route(child, own, f"{key}.routes[{number}]", depth=depth + 1)
            if any(made.path == other.path for other in below):
                raise self._reader.wrong(
                    f"{key}.routes[{number}]", f"there is a route {made.path!r} already; give this one a name"
                )
            below.append(made)
        return msgspec.structs.replace(own, routes=tuple(below))

    def _check_route(self, route: RouteRule, key: str) -> None:
        labels = route.group_by
        if ALL_LABELS in labels and len(labels) > 1:
            raise self._reader.wrong(f"{key}.group_by", '"..." stands for all labels, so no other may stand beside it')
        if len(set(labels)) < len(labels) or "" in labels:
            raise self._reader.wrong(f"{key}.group_by", "expected names of labels, each once")
        for field, names in (("mute_time_intervals", route.mute), ("active_time_intervals", route.active)):
            for name in names:
                if name not in self._intervals:
                    known = ", ".join(sorted(self._intervals)) or "none are defined"
                    raise self._reader.wrong(f"{key}.{field}", f"there is no time interval {name!r} ({known})")

    def _severities(self, value: Any) -> dict[AlertSeverity, Severity]:
        table = self._mapping(value, "severity")
        self._reader.refuse_unknown(table, ALERT_SEVERITIES, where="severity.")
        read = _Fields(self._reader, table, "severity")
        return {name: read.field(name, Severity, "sev3") for name in ALERT_SEVERITIES if name in table}

    def _severity_of(self, table: dict[str, Any], key: str) -> SeverityRule:
        self._needs(table, ("matchers", "severity"), key)
        self._reader.refuse_unknown(table, ("matchers", "severity"), where=f"{key}.")
        return SeverityRule(
            matchers=self._matchers(table["matchers"], f"{key}.matchers"),
            severity=_Fields(self._reader, table, key).field("severity", AlertSeverity, "unknown"),
        )

    def _inhibit(self, tables: list[dict[str, Any]]) -> tuple[InhibitRule, ...]:
        if len(tables) > INHIBIT_RULES_MAX:
            raise self._reader.wrong("inhibit", f"expected at most {INHIBIT_RULES_MAX}, got {len(tables)}")
        found: list[InhibitRule] = []
        for number, table in enumerate(tables):
            key = f"inhibit[{number}]"
            self._needs(table, ("name", "source", "target"), key)
            self._reader.refuse_unknown(table, ("name", "source", "target", "equal"), where=f"{key}.")
            rule = InhibitRule(
                name=self._name(table["name"], f"{key}.name"),
                source=self._matchers(table["source"], f"{key}.source"),
                target=self._matchers(table["target"], f"{key}.target"),
                equal=self._reader.convert(table.get("equal", []), tuple[str, ...], f"{key}.equal"),
            )
            for side, matchers in (("source", rule.source), ("target", rule.target)):
                if not matchers:
                    raise self._reader.wrong(f"{key}.{side}", "expected at least one matcher")
            if any(rule.name == other.name for other in found):
                raise self._reader.wrong(f"{key}.name", f"there is a rule {rule.name!r} already")
            found.append(rule)
        return tuple(found)

    def _interval(self, name: str, value: Any) -> TimeInterval:
        key = f"time_intervals.{name}"
        table = self._mapping(value, key)
        self._reader.refuse_unknown(table, ("zone", "times"), where=f"{key}.")
        zone = table.get("zone", "UTC")
        self._said(lambda: check_zone(zone), f"{key}.zone")
        entries = table.get("times", [])
        if not isinstance(entries, list) or not entries:
            raise self._reader.wrong(f"{key}.times", f"expected at least one [[{key}.times]]")
        return TimeInterval(
            name=name,
            entries=tuple(
                self._said(partial(parse_entry, entry, zone), f"{key}.times[{number}]")
                for number, entry in enumerate(entries)
            ),
        )

    def _flapping(self, value: Any) -> Flapping:
        table = self._mapping(value, "flapping")
        self._needs(table, ("changes", "within", "settle"), "flapping")
        self._reader.refuse_unknown(table, ("changes", "within", "settle"), where="flapping.")
        read = _Fields(self._reader, table, "flapping")
        changes = read.field("changes", int, 0)
        if not 2 <= changes <= 100:
            raise self._reader.wrong("flapping.changes", f"expected 2 to 100, got {changes}")
        within, settle = read.duration("within", None), read.duration("settle", None)
        for name, duration in (("within", within), ("settle", settle)):
            if not duration:
                raise self._reader.wrong(f"flapping.{name}", 'expected a duration such as "10m"')
        assert within is not None
        assert settle is not None
        return Flapping(changes=changes, within=within, settle=settle)

    def _services(self, value: Any) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for service, table in self._mapping(value, "services").items():
            key = f"services.{service}"
            self._reader.refuse_unknown(self._mapping(table, key), ("depends_on",), where=f"{key}.")
            found[service] = self._reader.convert(table.get("depends_on", []), tuple[str, ...], f"{key}.depends_on")
        return found

    def _matchers(self, value: Any, key: str) -> Matchers:
        texts = self._reader.convert(value, tuple[str, ...], key)
        return self._said(lambda: parse_all(texts), key)

    def _said(self, made: Callable[[], Made], key: str) -> Made:
        """What is made, with the key before whatever is wrong with it."""
        try:
            return made()
        except BadConfiguration as error:
            raise BadConfiguration(f"{self._file}: {key}: {error}", hint=error.hint) from error

    def _name(self, value: Any, key: str) -> str:
        good = isinstance(value, str) and 0 < len(value) <= NAME_CHARS_MAX and value.isprintable() and "/" not in value
        if not good:
            raise self._reader.wrong(key, f"a name has 1 to {NAME_CHARS_MAX} printable characters and no slash")
        return str(value)

    def _needs(self, table: Any, keys: tuple[str, ...], where: str) -> None:
        for key in keys:
            if key not in self._mapping(table, where):
                raise self._reader.wrong(f"{where}.{key}", "is missing")

    def _mapping(self, value: Any, key: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._reader.wrong(key, f"expected a table, got {value!r}")
        return value

    def _list(self, value: Any, key: str) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise self._reader.wrong(key, f"expected tables such as [[{key}]]")
        return [self._mapping(each, f"{key}[{number}]") for number, each in enumerate(value)]


class _Fields:
    """Fields of one table, with what holds when they are left out."""

    def __init__(self, reader: TomlReader, table: dict[str, Any], key: str) -> None:
        self._reader, self._table, self._key = reader, table, key

    def field(self, name: str, kind: Any, otherwise: Made) -> Made:
        """A field as what it takes."""
        if name not in self._table:
            return otherwise
        value, known = self._table[name], get_args(kind)
        if get_origin(kind) is Literal and value not in known:
            raise self._reader.wrong(f"{self._key}.{name}", f"expected one of {', '.join(known)}, got {value!r}")
        made: Made = self._reader.convert(value, kind, f"{self._key}.{name}")
        return made

    def duration(self, name: str, otherwise: timedelta | None) -> timedelta | None:
        """``"1h30m"`` as a duration; None for an empty text."""
        if name not in self._table:
            return otherwise
        text = self._reader.convert(self._table[name], str, f"{self._key}.{name}")
        if not text:
            return None
        try:
            return parse_duration(text)
        except BadConfiguration as error:
            raise self._reader.wrong(f"{self._key}.{name}", str(error)) from error
