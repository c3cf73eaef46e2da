"""Inhibition: which alerts have to do with each other, so that one may hold the other back.

Alertmanager's semantics: a label that is missing equals one that is empty; and an alert that fits both sides of a rule
is not held back by another one that also fits both, or two of them would silence each other.
https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule

All that is needed of the labels is in a key: the rule, and the values that must be equal. Sources that fit both sides
have a key of their own, at which only targets look that do not fit both. So whoever holds a key needs to know only
which of its sources fire.
"""

from collections.abc import Mapping

import msgspec

from events.ids import key_of
from services.rules.matchers import all_fit
from services.rules.ruleset import InhibitRule, RuleSet


class InhibitionKey(msgspec.Struct, frozen=True):
    """A place where sources and targets of a rule meet: stream ``inhibition.<key>``."""

    rule: str
    key: str
    is_source: bool
    """Whether the alert holds others back here while it fires; otherwise it is one that may be held back."""


class Inhibited(msgspec.Struct, frozen=True):
    """An alert is held back because another one fires."""

    rule: str
    source_alert_key: str


def inhibition_keys(rules: RuleSet, labels: Mapping[str, str]) -> tuple[InhibitionKey, ...]:
    """Where an alert with these labels says that it fires (``is_source``), and where it looks who else does.

    Args:
        rules: the rule set.
        labels: the matching set (`labels_to_match`).
    """
    found: list[InhibitionKey] = []
    for rule in rules.inhibit:
        source, target = all_fit(rule.source, labels), all_fit(rule.target, labels)
        if source:
            found.append(InhibitionKey(rule.name, _key(rule, labels, two_sided=target), True))
        if target:
            found.append(InhibitionKey(rule.name, _key(rule, labels, two_sided=False), False))
            if not source:
                found.append(InhibitionKey(rule.name, _key(rule, labels, two_sided=True), False))
    return tuple(found)


def _key(rule: InhibitRule, labels: Mapping[str, str], *, two_sided: bool) -> str:
    sides = "both sides" if two_sided else "one side"
    return key_of(
        "inhibition", rule.name, sides, *(part for name in rule.equal for part in (name, labels.get(name, "")))
    )
