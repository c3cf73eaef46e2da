"""The rule set as TOML: what it means, what is inherited, and errors that name the key."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.errors import BadConfiguration
from services.rules import rules_document
from services.rules.durations import duration_text, parse_duration
from services.rules.rules_document import ROUTES_MAX, parse_rules
from services.rules.ruleset import BUILT_IN, Flapping
from services.rules.time_intervals import Range


@given(st.timedeltas(timedelta(), timedelta(days=366)))
def test_a_duration_is_written_as_it_is_read(duration: timedelta):
    whole = duration - duration % timedelta(milliseconds=1)
    assert parse_duration(duration_text(duration)) == whole


def test_an_empty_document_means_the_built_in_rules():
    assert parse_rules("") == BUILT_IN


def test_a_whole_document_is_read():
    rules = parse_rules("""
[severity]
warning = "sev2"
[route]
opens_at = "warning"
group_by = ["cluster", "service"]
group_wait = "1m30s"
group_window = "2h"
resolve_after_clear = "10m"
expire_after = "1d"
[[route.routes]]
matchers = ['team="payments"', 'env=prod, zone!=""']
group_window = ""
expire_after = "500ms"
active_time_intervals = ["hours"]
[time_intervals.hours]
zone = "Europe/Berlin"
[[time_intervals.hours.times]]
times = ["09:00-17:00"]
[flapping]
changes = 5
within = "10m"
settle = "5m"
""")
    (child,) = rules.route.routes
    assert rules.severity["warning"] == "sev2"
    assert rules.severity["critical"] == "sev1"
    assert child.path == 'default/{team="payments",env="prod",zone!=""}'
    assert child.group_wait == timedelta(seconds=90)
    assert child.group_window is None
    assert child.resolve_after_clear == timedelta(minutes=10)
    assert (rules.route.expire_after, child.expire_after) == (timedelta(days=1), timedelta(milliseconds=500))
    assert rules.intervals(child.active)[0].entries[0].times == (Range(540, 1020),)
    assert rules.flapping == Flapping(changes=5, within=timedelta(minutes=10), settle=timedelta(minutes=5))
    assert rules.route_at(child.path) == child


def test_times_of_a_route_are_not_inherited_as_in_alertmanager():
    rules = parse_rules("""
[route]
mute_time_intervals = ["night"]
[[route.routes]]
name = "a"
[time_intervals.night]
[[time_intervals.night.times]]
""")
    assert (rules.route.mute, rules.route.routes[0].mute) == (("night",), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "no TOML"),
        ("[rout]", "rout: unknown setting; did you mean route"),
        ("route = 1", "route: expected a table"),
        (
            '[route]\nopens_at = "high"',
            "route.opens_at: expected one of critical, error, warning, info, unknown, got 'high'",
        ),
        ('[route]\nmatchers = ["a=b"]', "route.matchers: the root takes every alert"),
        ("[route]\ncontinue = true", "route.continue: the root takes every alert"),
        ('[route]\ngroup_by = ["...", "a"]', "route.group_by: "),
        ('[route]\ngroup_by = ["a", "a"]', "route.group_by: "),
        ('[route]\ngroup_by = "a"', "route.group_by: expected array"),
        ('[route]\ngroup_wait = "30"', 'route.group_wait: expected a duration such as "30s"'),
        ('[route]\ngroup_wait = "1s30m"', "route.group_wait: expected a duration"),
        ('[route]\ngroup_wait = "99999999999w"', "at most 366 days"),
        ("[route]\ngroup_wait = 30", "route.group_wait: expected str"),
        ('[route]\naction = "page"', "expected one of open, join, record"),
        ('[route]\nmute_time_intervals = ["x"]', "there is no time interval 'x' (none are defined)"),
        ('[[route.routes]]\nname = "a/b"', "route.routes[0].name: a name has"),
        ("[[route.routes]]\n[[route.routes]]", "there is a route 'default/{}' already"),
        ("[[route.routes]]\nmatchers = ['a=~\"(\"']", "route.routes[0].matchers: '(' is no RE2 expression"),
        (
            '[[route.routes]]\nname = "a"\n[[route.routes.routes]]\nx = 1',
            "route.routes[0].routes[0].x: unknown setting",
        ),
        ("[[inhibit]]\nname = 'a'", "inhibit[0].source: is missing"),
        ("[[inhibit]]\nname = 'a'\nsource = []\ntarget = ['a=b']", "inhibit[0].source: expected at least one matcher"),
        ("[[inhibit]]\nname = 'a'\nsource = ['a=b']\ntarget = ['a=b']\n" * 2, "there is a rule 'a' already"),
        ("[[severity_of]]\nmatchers = ['a=b']", "severity_of[0].severity: is missing"),
        ("[[severity_of]]\nmatchers = ['a=b']\nseverity = 'sev1'", "severity_of[0].severity: expected one of critical"),
        ('[severity]\nhigh = "sev1"', "severity.high: unknown setting; expected one of critical, error"),
        ('[severity]\ncriticl = "sev1"', "severity.criticl: unknown setting; did you mean critical?"),
        ('[severity]\ncritical = "SEV1"', "severity.critical: expected one of sev1, sev2, sev3, sev4"),
        ("severity = 5", "severity: expected a table, got 5"),
        ("[time_intervals.night]", "expected at least one [[time_intervals.night.times]]"),
        ("[time_intervals.night]\nzone = 'Berlin'", "time_intervals.night.zone: expected an IANA time zone"),
        ("time_intervals.night = ['9']", "time_intervals.night: expected a table"),
        (
            "[time_intervals.n]\n[[time_intervals.n.times]]\ntimes = ['9']",
            "time_intervals.n.times[0]: times: expected a time of",
        ),
        ("[flapping]\nchanges = 5", "flapping.within: is missing"),
        ("[flapping]\nchanges = 1\nwithin = '1m'\nsettle = '1m'", "flapping.changes: expected 2 to 100, got 1"),
        ("[flapping]\nchanges = 3\nwithin = '1m'\nsettle = ''", "flapping.settle: expected a duration"),
        ("[services.a]\ndepends = ['b']", "services.a.depends: unknown setting; did you mean depends_on"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(text: str, said: str):
    with pytest.raises(BadConfiguration) as refusal:
        parse_rules(text, "rules.toml")
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("rules.toml: ")
    assert refusal.value.hint


EXAMPLE = Path(rules_document.__file__).with_name("example.toml").read_text().splitlines()
SET_IN_EXAMPLE = [number for number, line in enumerate(EXAMPLE) if re.match(r"\w+ *=", line)]


@pytest.mark.parametrize("number", SET_IN_EXAMPLE)
@pytest.mark.parametrize("value", ["5.5", "[[5]]", '"\\u0007 ="', "2026-03-01"])
def test_whatever_is_wrong_in_the_example_is_named(number: int, value: str):
    key = EXAMPLE[number].partition("=")[0].strip()
    changed = "\n".join([*EXAMPLE[:number], f"{key} = {value}", *EXAMPLE[number + 1 :]])
    with pytest.raises(BadConfiguration) as refusal:
        parse_rules(changed, "rules.toml")
    assert key in str(refusal.value), str(refusal.value)
    assert refusal.value.hint


@pytest.mark.parametrize("number", SET_IN_EXAMPLE)
def test_a_key_that_is_misspelt_is_named(number: int):
    key = EXAMPLE[number].partition("=")[0].strip()
    changed = "\n".join([*EXAMPLE[:number], f"{key}z{EXAMPLE[number][len(key) :]}", *EXAMPLE[number + 1 :]])
    with pytest.raises(BadConfiguration) as refusal:
        parse_rules(changed, "rules.toml")
    # What must be there is missed first.
    assert f"{key}z" in str(refusal.value) or f"{key}: is missing" in str(refusal.value)


def test_a_tree_is_not_endless():
    with pytest.raises(BadConfiguration, match="at most 1000 routes"):
        parse_rules("".join(f"[[route.routes]]\nname='{n}'\n" for n in range(ROUTES_MAX)))
    deep = "".join(f"[[route{'.routes' * n}]]\nname='a'\n" for n in range(1, 20))
    with pytest.raises(BadConfiguration, match="at most 16 deep"):
        parse_rules(deep)


toml_values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["open", "5m", "error", 'a="b"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    ["severity", "severity_of", "route", "inhibit", "time_intervals", "flapping", "services", "routes", "name", "times"]
)


def as_toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
        case list():
            return f"[{', '.join(map(as_toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{as_toml(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
    raise TypeError(value)


@given(st.dictionaries(keys, toml_values | st.dictionaries(keys, toml_values, max_size=3), max_size=4))
def test_any_document_is_read_or_refused_with_a_hint(document: dict[str, object]):
    text = "\n".join(f"{as_toml(key)} = {as_toml(value)}" for key, value in document.items())
    try:
        parse_rules(text)
    except BadConfiguration as refusal:
        hint = refusal.hint
    else:
        hint = "read"
    assert hint
