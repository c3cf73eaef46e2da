"""Trying rules: what they would make of alerts, one after the other, without writing anything. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from events.alert import ALERT_SEVERITIES, AlertSeverity
from services.rules.inhibition import Inhibited, inhibition_keys
from services.rules.ruleset import RuleSet
from services.rules.silences import Silence
from services.rules.verdict import Situation, Verdict, labels_to_match, verdict

# More changes than the most patient rule for flapping looks at.
CHANGES_KEPT = 100


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an alert."""

    kind: Literal["fired", "updated", "cleared", "snoozed"]
    at: datetime
    alert_key: str
    title: str = ""
    severity: AlertSeverity = "unknown"
    service: str = ""
    sender: str = ""
    integration: str = ""
    labels: Mapping[str, str] = {}
    occurrence: int = 1
    until_at: datetime | None = None
    """How long it is snoozed."""

    @property
    def matching(self) -> dict[str, str]:
        """What matchers see."""
        return labels_to_match(
            self.labels,
            service=self.service,
            severity=self.severity,
            sender=self.sender,
            integration=self.integration,
            title=self.title,
        )


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules would make of one firing, or of one that became more severe."""

    at: datetime
    alert_key: str
    title: str
    severity: AlertSeverity
    service: str
    labels: Mapping[str, str]
    """What matchers saw."""
    verdict: Verdict


class _Known(msgspec.Struct):
    """What is known of an alert on the way."""

    fired: Happening | None = None
    severity: AlertSeverity = "unknown"
    changes: tuple[datetime, ...] = ()
    snoozed_until: datetime | None = None


class Trial:
    """Takes alerts in their order and says what the rules would make of each.

    Args:
        rules: the rules to try.
        silences: those that may hold an alert back meanwhile.
    """

    def __init__(self, rules: RuleSet, silences: Sequence[Silence] = ()) -> None:
        self._rules = rules
        self._silences = tuple(silences)
        self._known: dict[str, _Known] = {}
        self._firing: dict[str, dict[str, str]] = {}
        """Key of an inhibition, and by each alert that fires there the rule."""

    def stand(self, happening: Happening) -> None:
        """Take note of an alert that fires already, and decide nothing about it."""
        self._fire(happening, self._of(happening.alert_key))

    def take(self, happening: Happening) -> Tried | None:
        """What the rules make of what happens; None where they are not asked."""
        known = self._of(happening.alert_key)
        match happening.kind:
            case "fired":
                known.changes = (*known.changes, happening.at)[-CHANGES_KEPT:]
                self._fire(happening, known)
            case "cleared":
                known.changes = (*known.changes, happening.at)[-CHANGES_KEPT:]
                self._clear(known)
                return None
            case "snoozed":
                known.snoozed_until = happening.until_at
                return None
            case "updated":
                if known.fired is None or _rank(happening.severity) >= _rank(known.severity):
                    return None
                known.severity = happening.severity
        assert known.fired is not None
        return self._decide(known.fired, known, happening.at)

    def _of(self, alert_key: str) -> _Known:
        return self._known.setdefault(alert_key, _Known())

    def _fire(self, happening: Happening, known: _Known) -> None:
        self._clear(known)
        known.fired, known.severity, known.snoozed_until = happening, happening.severity, None
        for key in inhibition_keys(self._rules, happening.matching):
            if key.is_source:
                self._firing.setdefault(key.key, {})[happening.alert_key] = key.rule

    def _clear(self, known: _Known) -> None:
        if known.fired is None:
            return
        for key in inhibition_keys(self._rules, known.fired.matching):
            if key.is_source:
                self._firing.get(key.key, {}).pop(known.fired.alert_key, None)
        known.fired = None

    def _decide(self, fired: Happening, known: _Known, now: datetime) -> Tried:
        labels = fired.matching
        inhibited = tuple(
            Inhibited(rule, source)
            for key in inhibition_keys(self._rules, labels)
            if not key.is_source
            for source, rule in self._firing.get(key.key, {}).items()
        )
        situation = Situation(
            alert_key=fired.alert_key,
            occurrence=fired.occurrence,
            labels=labels,
            severity=known.severity,
            service=fired.service,
            fired_at=fired.at,
            changes=known.changes,
            rules=self._rules,
            silences=self._silences,
            inhibited_by=inhibited,
            snoozed_until=known.snoozed_until,
            now=now,
        )
        return Tried(
            at=now,
            alert_key=fired.alert_key,
            title=fired.title,
            severity=known.severity,
            service=fired.service,
            labels=labels,
            verdict=verdict(situation),
        )


def _rank(severity: AlertSeverity) -> int:
    return ALERT_SEVERITIES.index(severity)
