"""Verdicts: what decides, in which order, and that every rule that was looked at is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events.alert import ALERT_SEVERITIES
from events.ids import key_of
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from services.rules.matchers import all_fit, parse_all, parse_matchers
from services.rules.rules_document import parse_rules
from services.rules.ruleset import BUILT_IN
from services.rules.silences import Silence, silence_after
from services.rules.verdict import Inhibited, Situation, Verdict, labels_to_match, verdict

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = parse_rules("""
[severity]
critical = "sev2"
[[severity_of]]
matchers = ['priority="P1"']
severity = "critical"
[route]
opens_at = "warning"
[[route.routes]]
name = "audit"
matchers = ['kind="audit"']
action = "record"
continue = true
[[route.routes]]
name = "night"
matchers = ['team="night"']
mute_time_intervals = ["lunch"]
[[route.routes]]
name = "payments"
matchers = ['team="payments"']
group_by = ["cluster"]
policy = "payments"
action = "join"
[[inhibit]]
name = "node down"
source = ['alertname="NodeDown"']
target = ['alertname!="NodeDown"']
equal = ["node"]
[time_intervals.lunch]
[[time_intervals.lunch.times]]
times = ["12:00-13:00"]
[flapping]
changes = 3
within = "10m"
settle = "5m"
[services.checkout]
depends_on = ["database", "cache"]
[services.database]
depends_on = ["storage", "checkout"]
""")
SILENCE = Silence(
    silence_id="sil-1",
    matchers=parse_all(['team="payments"']),
    starts_at=NOON - HOUR,
    ends_at=NOON + HOUR,
    reason="move",
)


def situation(severity: str = "error", service: str = "checkout", rules: Any = RULES, **given_: Any) -> Situation:
    labels = labels_to_match(
        given_.pop("labels", {}), service=service, severity=severity, sender="json", integration="key-1", title="Disk"
    )
    defaults = {"alert_key": "a1", "occurrence": 1, "fired_at": NOON, "now": NOON}
    return Situation(**(defaults | given_), labels=labels, severity=severity, service=service, rules=rules)


def decided(severity: str = "error", service: str = "checkout", rules: Any = RULES, **given_: Any) -> Verdict:
    return verdict(situation(severity, service, rules, **given_))


def outcomes(found: Verdict) -> dict[str, str]:
    return {step.what: step.outcome for step in found.steps}


def test_without_rules_errors_open_one_incident_a_service():
    found = decided(rules=BUILT_IN)
    assert (found.action, found.route, found.incident_severity) == ("place", "default", "sev2")
    assert found.group == key_of("service", "checkout")
    assert decided("warning", rules=BUILT_IN).action == "record"
    assert decided(service="", rules=BUILT_IN).group == key_of("alert", "a1")


def test_the_first_severity_rule_that_fits_counts():
    found = decided("info", labels={"priority": "P1"})
    assert (found.action, found.severity, found.incident_severity) == ("place", "critical", "sev2")
    assert decided("info").reason == "its severity is info; an incident needs at least warning"


def test_a_severity_that_the_sender_does_not_say_lies_below_a_warning():
    assert decided("unknown").action == "record"
    assert decided("unknown", rules=parse_rules('[route]\nopens_at = "unknown"')).action == "place"


def test_a_route_says_how_alerts_are_grouped_and_whom_to_page():
    found = decided(labels={"team": "payments", "cluster": "eu"})
    assert (found.route, found.policy, found.route_action) == ("default/payments", "payments", "join")
    assert found.group_labels == {"cluster": "eu"}
    assert found.group == decided(labels={"team": "payments", "cluster": "eu"}, service="cart").group
    assert found.group != decided(labels={"team": "payments", "cluster": "us"}).group


def test_an_alert_with_none_of_the_labels_is_a_group_of_its_own():
    assert decided(labels={"team": "payments"}).group == key_of("alert", "a1")


def test_all_labels_or_none_make_the_group():
    every = parse_rules('[route]\ngroup_by = ["..."]')
    assert decided(rules=every, labels={"x": "1"}).group != decided(rules=every, labels={"x": "2"}).group
    none = parse_rules("[route]\ngroup_by = []")
    assert decided(rules=none, service="cart").group == decided(rules=none, service="checkout").group


def test_services_that_are_needed_are_named_the_nearest_first():
    assert decided().dependency_groups == tuple(key_of("service", name) for name in ("database", "cache", "storage"))


def test_a_route_that_only_records_gives_way_to_one_that_it_continues_to():
    assert decided(labels={"kind": "audit"}).action == "record"
    found = decided(labels={"kind": "audit", "team": "payments"})
    assert (found.action, found.route, found.also) == ("place", "default/payments", ())


def test_the_routes_that_would_place_it_too_are_named():
    rules = parse_rules("""
[[route.routes]]
name = "one"
continue = true
[[route.routes]]
name = "two"
""")
    found = decided(rules=rules)
    assert (found.route, found.also) == ("default/one", ("default/two",))


def test_a_silence_holds_while_it_lasts():
    found = decided(labels={"team": "payments"}, silences=(SILENCE,))
    assert (found.action, found.hold.because, found.hold.held_by, found.hold.until_at) == (
        "hold",
        "silenced",
        "sil-1",
        NOON + HOUR,
    )
    for other in ({"starts_at": NOON + HOUR / 2}, {"ends_at": NOON}, {"matchers": parse_all(['team="x"'])}):
        silence = msgspec.structs.replace(SILENCE, **other)
        assert decided(labels={"team": "payments"}, silences=(silence,)).action == "place"


def test_of_several_silences_the_longest_is_named():
    longer = msgspec.structs.replace(SILENCE, silence_id="sil-2", ends_at=NOON + 2 * HOUR)
    found = decided(labels={"team": "payments"}, silences=(longer, SILENCE))
    assert found.hold.held_by == "sil-2"
    assert outcomes(found)["silence sil-1"] == "holds"


def test_a_muted_route_holds_until_it_is_awake():
    found = decided(labels={"team": "night"})
    assert (found.hold.because, found.hold.held_by, found.hold.until_at) == ("muted", "lunch", NOON + HOUR)
    assert decided(labels={"team": "night"}, now=NOON + HOUR).action == "place"


def test_inhibition_comes_before_silence_and_silence_before_the_rest():
    night = {"team": "night"}
    silence = msgspec.structs.replace(SILENCE, matchers=parse_all(['team="night"']))
    everything: dict[str, Any] = {
        "labels": night,
        "silences": (silence,),
        "inhibited_by": (Inhibited("node down", "a2"),),
        "snoozed_until": NOON + HOUR,
        "changes": (NOON - HOUR / 20, NOON - HOUR / 30, NOON),
    }
    order = []
    for gone in ("inhibited_by", "silences", "labels", "snoozed_until", "changes"):
        order.append(decided(**everything).hold.because)
        everything.pop(gone)
        if gone == "labels":
            everything.pop("labels", None)
    assert order == ["inhibited", "silenced", "muted", "snoozed", "flapping"]


def test_all_that_holds_an_alert_back_is_told():
    night = {"team": "night"}
    silence = msgspec.structs.replace(SILENCE, matchers=parse_all(['team="night"']))
    found = decided(
        "info",
        labels=night,
        silences=(silence,),
        inhibited_by=(Inhibited("node down", "a2"),),
        snoozed_until=NOON + HOUR,
    )
    told = outcomes(found)
    for what in ("inhibition node down", "silence sil-1", "times of default/night", "snooze"):
        assert told[what] == "holds"
    assert told["severity of default/night"] == "records"


def test_an_alert_that_is_held_back_is_so_though_it_is_not_severe():
    assert decided("info", snoozed_until=NOON + HOUR).hold.held_by == "sender"


def test_every_rule_that_was_looked_at_is_told():
    found = decided(labels={"team": "payments", "cluster": "eu"}, silences=(SILENCE,), now=NOON + HOUR)
    assert [(step.what, step.outcome) for step in found.steps] == [
        ("severity_of[0]", "does not fit"),
        ("route default", "fits"),
        ("route default/audit", "does not fit"),
        ("route default/night", "does not fit"),
        ("route default/payments", "fits"),
        ("inhibition node down", "lets through"),
        ("silence sil-1", "lets through"),
        ("flapping", "lets through"),
        ("severity of default/payments", "lets through"),
        ("group of default/payments", "lets through"),
    ]


def test_matchers_see_what_is_known_where_no_label_says_it():
    labels = labels_to_match(
        {"severity": "page", "team": "a"}, service="s", severity="error", sender="json", integration="key-1", title="T"
    )
    assert labels == {
        "severity": "page",
        "team": "a",
        "service": "s",
        "sender": "json",
        "integration": "key-1",
        "alertname": "T",
    }


def test_an_alert_flaps_until_it_has_been_quiet_for_long_enough():
    def held_at(moment: datetime, *minutes: int) -> bool:
        changes = tuple(NOON + timedelta(minutes=minute) for minute in minutes)
        return decided(now=moment, changes=changes).action == "hold"

    assert not held_at(NOON + timedelta(minutes=4), 0, 4)
    assert held_at(NOON + timedelta(minutes=8), 0, 4, 8)
    assert not held_at(NOON + timedelta(minutes=14), 0, 4, 14)
    assert not held_at(NOON + timedelta(minutes=13), 0, 4, 8)
    # Once it flaps it does so until it settles, though its changes come more slowly.
    assert held_at(NOON + timedelta(minutes=16), 0, 4, 8, 12, 16)
    assert held_at(NOON + timedelta(minutes=12), 0, 1, 2, 6, 10)


def test_a_silence_is_folded_from_its_facts():
    created = SilenceCreated(matchers=('team="a"',), starts_at=NOON, ends_at=NOON + HOUR, reason="move")
    silence = silence_after(None, "sil-1", created, NOON)
    assert silence is not None
    assert [silence.state_at(NOON + moment) for moment in (-HOUR, 0 * HOUR, HOUR)] == ["pending", "active", "ended"]
    changed = SilenceChanged(starts_at=NOON, ends_at=NOON + 3 * HOUR, reason="more")
    silence = silence_after(silence, "sil-1", changed, NOON)
    assert silence is not None
    assert (silence.ends_at, silence.reason) == (NOON + 3 * HOUR, "more")
    silence = silence_after(silence, "sil-1", SilenceEnded(), NOON + 2 * HOUR)
    assert silence is not None
    assert silence.state_at(NOON + 2 * HOUR) == "ended"
    assert silence_after(None, "sil-1", SilenceEnded(), NOON) is None


def test_a_policy_that_is_not_paged_because_an_alert_has_one_place_is_named():
    rules = parse_rules("""
[[route.routes]]
name = "one"
continue = true
policy = "sre"
[[route.routes]]
name = "two"
continue = true
[[route.routes]]
name = "three"
continue = true
policy = "sre"
[[route.routes]]
name = "four"
policy = "payments"
""")
    assert decided(rules=rules).reason == (
        "severity error is at least error (it would have been placed too by default/two, whose policy default is not "
        "paged, default/four, whose policy payments is not paged)"
    )


def test_a_reason_says_on_which_side_of_a_time_interval_it_is():
    rules = parse_rules("""
[route]
mute_time_intervals = ["noon"]
[[route.routes]]
name = "office"
matchers = ['team="a"']
active_time_intervals = ["night"]
[[time_intervals.noon.times]]
times = ["12:00-13:00"]
[[time_intervals.night.times]]
times = ["00:00-06:00"]
""")
    assert decided(rules=rules).reason == "muted within noon until 2026-03-02T13:00:00+00:00"
    outside = decided(rules=rules, labels={"team": "a"})
    assert outside.reason == "muted outside night until 2026-03-03T00:00:00+00:00"
    assert outside.hold is not None
    assert outside.hold.held_by == "night"


def test_only_changes_that_count_are_told():
    changes = (*(NOON - timedelta(days=day) for day in range(9, 0, -1)), NOON)
    (step,) = [step for step in decided(changes=changes).steps if step.what == "flapping"]
    assert step.detail == "1 changes within 0:10:00; 3 are flapping"


label_sets = st.dictionaries(
    st.sampled_from(["team", "kind", "cluster", "node", "priority", "alertname"]),
    st.sampled_from(["night", "payments", "audit", "eu", "P1", "NodeDown", ""]),
)
situations = st.builds(
    lambda severity, labels, minutes, silences, held: situation(
        severity,
        labels=labels,
        now=NOON + timedelta(minutes=minutes),
        silences=silences,
        inhibited_by=(Inhibited("node down", "a2"),) if held else (),
    ),
    st.sampled_from(["critical", "error", "warning", "unknown", "info"]),
    label_sets,
    st.integers(-120, 120),
    st.sampled_from([(), (SILENCE,)]),
    st.booleans(),
)


@given(situations)
def test_a_verdict_says_why_and_holds_nothing_back_without_a_holder(found: Situation):
    told = verdict(found)
    assert told == verdict(found)
    assert told.reason
    assert (told.action == "hold") is (told.hold is not None)
    assert told.steps[1].what == "route default"
    if told.hold is not None:
        assert told.hold.held_by
        assert any(step.outcome == "holds" for step in told.steps)
        assert told.hold.until_at is None or told.hold.until_at > found.now


@given(situations)
def test_what_is_held_by_the_clock_is_let_through_or_held_by_something_else_then(found: Situation):
    told = verdict(found)
    if told.hold is not None and told.hold.until_at is not None:
        later = verdict(msgspec.structs.replace(found, now=told.hold.until_at))
        assert later.hold is None or (later.hold.because, later.hold.held_by) != (told.hold.because, told.hold.held_by)


@given(situations)
def test_every_step_says_what_is_so(found: Situation):
    told = verdict(found)
    routes = {route.path: route for route in found.rules.route.walk()}
    for step in told.steps:
        kind, _, name = step.what.partition(" ")
        if kind == "route":
            assert (step.outcome == "fits") is all_fit(routes[name].matchers, found.labels)
            assert step.outcome == "fits" or not all_fit(parse_matchers(step.detail), found.labels)
        if kind == "silence":
            (silence,) = [one for one in found.silences if one.silence_id == name]
            assert (step.outcome == "holds") is silence.holds(found.labels, found.now)
        if step.what.startswith("severity of "):
            least = routes[step.what.removeprefix("severity of ")].opens_at
            order = ALERT_SEVERITIES.index
            assert (step.outcome == "lets through") is (order(told.severity) <= order(least))
