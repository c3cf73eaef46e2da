"""The same routes, inhibition rules, silences and alerts in Debian's Alertmanager and in Recount: who is notified.

Compared is, for each alert, which routes let it through and with which others it is grouped there. What differs on
purpose is listed in docs/rules.md, 'Beside Alertmanager'; everything else must agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import adapters
from services.intake.signal import Signal
from services.rules.inhibition import Inhibited, inhibition_keys
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.rules.silences import Silence
from services.rules.verdict import Situation, Verdict, group_of, labels_to_match, verdict
from tests.differential.alertmanager import Group, notified
from tests.differential.scenarios import Scenario, posted_alerts, scenarios
from tests.http_process import ALERTMANAGER

HOUR = timedelta(hours=1)
# With many more, Alertmanager does not get through its inhibition rules within the 4 s that its groups wait.
SCENARIOS = 250
Groups = frozenset[Group]


@pytest.mark.alertmanager
@pytest.mark.skipif(not ALERTMANAGER, reason="Debian's prometheus-alertmanager is not installed")
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 22))])
def test_who_is_notified_about_what_agrees(seed: int, tmp_path: Path):
    now = datetime.now(UTC)
    found = scenarios(seed, SCENARIOS, now)
    told = notified(found, tmp_path)
    signals = _signals(posted_alerts(found, now), now)
    differing: dict[str, list[str]] = {}
    for scenario in found:
        alertmanagers = frozenset(group for group in told if group.scenario == scenario.name)
        own = [signal for signal in signals if signal.labels["scenario"] == scenario.name]
        # What matchers see in Alertmanager: the alert's own labels and nothing else.
        plain = _recounts(scenario, own, now, [signal.labels for signal in own])
        assert plain == _apart(alertmanagers, scenario, own), f"seed {seed}\n{scenario.toml}"
        ours = _recounts(scenario, own, now, [_matching(signal) for signal in own])
        if ours != plain:
            differing[scenario.name] = [label for label in ("severity", "service") if _asks_for(scenario, label)]
    # Recount differs from itself only by the labels that it adds, and only where a rule asks for one of them.
    assert all(differing.values()), differing
    assert len(differing) < SCENARIOS / 4
    assert sum(bool(group.alerts) for group in told) > SCENARIOS / 2, "most scenarios notify somebody"


def _signals(posted: bytes, now: datetime) -> list[Signal]:
    """What intake makes of the same bytes: the alerts that fire."""
    receipt = Receipt(
        seq=1,
        source="alertmanager_api",
        integration="key-1",
        received_at=now,
        content_type="application/json",
        headers={"recount-target": "POST /api/v2/alerts"},
        body=posted,
    )
    said = adapters()["alertmanager_api"].translate(receipt)
    return [signal for signal in said if isinstance(signal, Signal) and signal.state == "firing"]


def _matching(signal: Signal) -> dict[str, str]:
    return labels_to_match(
        signal.labels,
        service=signal.service,
        severity=signal.severity,
        sender="alertmanager_api",
        integration="key-1",
        title=signal.title,
    )


def _recounts(
    scenario: Scenario, signals: Sequence[Signal], now: datetime, matching: Sequence[Mapping[str, str]]
) -> Groups:
    """Whom Recount lets through, by route and group, once all of them fire."""
    rules = parse_rules(scenario.toml)
    silences = tuple(_silences(scenario, now))
    firing: dict[str, dict[str, str]] = {}
    for signal, labels in zip(signals, matching, strict=True):
        for key in inhibition_keys(rules, labels):
            if key.is_source:
                firing.setdefault(key.key, {})[signal.labels["n"]] = key.rule
    groups: dict[tuple[str, str], set[str]] = {}
    for signal, labels in zip(signals, matching, strict=True):
        alert = signal.labels["n"]
        inhibited = tuple(
            Inhibited(rule, source)
            for key in inhibition_keys(rules, labels)
            if not key.is_source
            for source, rule in firing.get(key.key, {}).items()
        )
        made = verdict(
            Situation(
                alert_key=alert,
                occurrence=1,
                labels=labels,
                severity=_severity(signal),
                service=signal.service,
                fired_at=now,
                rules=rules,
                silences=silences,
                inhibited_by=inhibited,
                now=now,
            )
        )
        for path, group in _placed(rules, made, signal):
            groups.setdefault((path, group), set()).add(alert)
    return frozenset(Group(scenario.name, path, frozenset(alerts)) for (path, _group), alerts in groups.items())


def _placed(rules: RuleSet, made: Verdict, signal: Signal) -> Iterable[tuple[str, str]]:
    """Every route that lets it through, with the key of its group there."""
    if made.action == "place":
        for path in (made.route, *made.also):
            route = rules.route_at(path)
            assert route is not None
            # What groups is compared by the alert's own labels, in both runs alike.
            yield path, group_of(route, signal.labels, signal.service, signal.labels["n"])[0]


def _severity(signal: Signal) -> AlertSeverity:
    return signal.severity


def _silences(scenario: Scenario, now: datetime) -> Iterable[Silence]:
    for number, silence in enumerate(scenario.silences):
        starts_at = now + HOUR if silence.state == "pending" else now
        yield Silence(
            silence_id=f"sil-{number}",
            matchers=silence.matchers,
            starts_at=starts_at,
            ends_at=starts_at if silence.state == "ended" else starts_at + HOUR,
        )


def _apart(groups: Groups, scenario: Scenario, signals: Sequence[Signal]) -> Groups:
    """Alertmanager's groups, but alerts with none of the labels that group them are apart, as in Recount."""
    by_path = dict(scenario.route.walk())
    by_number = {signal.labels["n"]: signal for signal in signals}
    found: set[Group] = set()
    for group in groups:
        names = by_path[group.route].group_by
        is_bare = names not in ([], ["..."]) and not any(
            by_number[alert].labels.get(name) for alert in group.alerts for name in names
        )
        parts = [frozenset({alert}) for alert in group.alerts] if is_bare else [group.alerts]
        found.update(Group(group.scenario, group.route, part) for part in parts)
    return frozenset(found)


def _asks_for(scenario: Scenario, label: str) -> bool:
    """Whether a rule asks for a label that an alert lacks, so that Recount's own value for it may decide."""
    matchers = [matcher for _path, route in scenario.route.walk() for matcher in route.matchers]
    matchers += [matcher for rule in scenario.inhibit for matcher in (*rule.source, *rule.target)]
    matchers += [matcher for silence in scenario.silences for matcher in silence.matchers]
    named = {matcher.name for matcher in matchers} | {name for rule in scenario.inhibit for name in rule.equal}
    return label in named and any(not alert.get(label) for alert in scenario.alerts)
