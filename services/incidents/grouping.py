"""Which incident does a firing alert belong to? Pure: what follows from the verdict of the rules.

The rules (`services.rules.verdict`) say whether an alert opens or joins, is held back or only recorded, and which
group it belongs to; without published ones a service is a group. Alerts of a group that are let through open one
incident and then join it for as long as it is open, or join an open one of a service that theirs depends on. An alert
that has none of the labels to group by is a group of its own. An incident that is over (resolved, closed or dismissed)
frees its group, so the next alert opens a new one; a merged incident hands its alerts to the one that carries on.
Alerts that clear leave the incident as it is, unless the rules say that it resolves then.

An alert that is heard of late, and became that severe while an incident of its group lasted that is over by now, joins
that one as evidence: it opens nothing and wakes nobody. One that is heard of in time is news, however short before its
start the incident was resolved.

It decides about an *occurrence* (one firing, until the alert clears and fires again), and looks at all that is known of
it by now: delivered again after hours, or in another order, the answer is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from types import MappingProxyType

import msgspec

from events import Recorded
from events.alert import (
    ALERT_SEVERITIES,
    AlertCleared,
    AlertClearedUnseen,
    AlertFired,
    AlertHeld,
    AlertPassedOver,
    AlertSeverity,
    AlertSnoozed,
    AlertUpdated,
)
from events.ids import key_of
from events.incident import AlertLinked, IncidentDeclared, Severity
from services.incidents.circumstances import KnownAlert
from services.incidents.commands import TITLE_CHARS_MAX
from services.incidents.state import Incident
from services.rules.verdict import Verdict, labels_to_match

RULE = "by service"
# Heard of so long after it began, an alert tells of the past. Senders group, repeat and retry for some minutes
# (Alertmanager waits 30 s to group and 5 min between groups), and what they bring by then is news.
LATE_AFTER = timedelta(minutes=15)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may configure."""

    opens_at: AlertSeverity = "error"
    """Alerts at least this severe open or join an incident."""
    severity: Mapping[AlertSeverity, Severity] = MappingProxyType(
        {"critical": "sev1", "error": "sev2", "warning": "sev3", "info": "sev4", "unknown": "sev3"}
    )
    """How severe an incident is that an alert opens."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence of an alert, as far as it is known."""

    alert_key: str
    occurrence: int
    title: str
    severity: AlertSeverity
    """The most severe that it has been."""
    service: str
    fired_at: datetime
    severe_at: datetime
    """When it became that severe."""
    heard_at: datetime
    """When the log recorded that."""
    fired_seq: int
    cause_id: str
    """The event by which it became that severe: what its incident answers."""
    fired_id: str
    """The event of the firing itself, from which ids derive, so that every later delivery derives the same."""
    passed_over: bool
    is_settled: bool = False
    """It was passed over since it became that severe: other rules do not change that."""
    labels: Mapping[str, str] = MappingProxyType({})
    sender: str = ""
    integration: str = ""
    is_over: bool = False
    """It has cleared, or fired again."""
    held: AlertHeld | None = None
    """How it was held back last; None when it never was."""
    snoozed_until: datetime | None = None
    changes: tuple[datetime, ...] = ()
    """When the alert fired and cleared, as far as its history was read."""

    def labels_to_match(self, severity: AlertSeverity | None = None) -> dict[str, str]:
        """What the matchers of rules see; ``severity`` in place of its own."""
        return labels_to_match(
            self.labels,
            service=self.service,
            severity=severity or self.severity,
            sender=self.sender,
            integration=self.integration,
            title=self.title,
        )


class Ruling(msgspec.Struct, frozen=True):
    """What the rules say about a firing, and which rules."""

    verdict: Verdict
    rules_seq: int

    @property
    def rule(self) -> str:
        """What the alert is grouped by, in words."""
        names = self.verdict.group_labels
        return RULE if not names or tuple(names) == ("service",) else f"by {', '.join(names)}"

    def about(self, firing: Firing) -> str:
        """What its group is about, in words."""
        if self.rule != RULE:
            return f"of {', '.join(f'{name}={value}' for name, value in self.verdict.group_labels.items())}"
        return f"about {firing.service}" if firing.service else "of this alert"


class Holder(msgspec.Struct, frozen=True):
    """An incident that may have the alert already, or may take it."""

    incident_id: str
    incident: Incident
    needed: str = ""
    """The service that it is about, when that of the alert depends on it; empty when it has the alert's own group."""


class PassedOver(msgspec.Struct, frozen=True):
    """It makes no incident; the fact says why, on the alert's stream."""

    fact: AlertPassedOver


class Joined(msgspec.Struct, frozen=True):
    """It belongs to an incident that is open."""

    incident_id: str
    linked: AlertLinked


class Late(msgspec.Struct, frozen=True):
    """It belongs to an incident that is over, and was heard of too late."""

    incident_id: str
    linked: AlertLinked


class Opened(msgspec.Struct, frozen=True):
    """It makes a new incident."""

    declared: IncidentDeclared
    linked: AlertLinked


class Waiting(msgspec.Struct, frozen=True):
    """Its group is new, and opens an incident only when it has lasted for a while."""

    group_wait: timedelta


Placement = PassedOver | Joined | Late | Opened | Waiting


def group_key(service: str, alert_key: str) -> str:
    """The group of an alert: its service, or itself when it names none."""
    return key_of("service", service) if service else key_of("alert", alert_key)


def group_of_incident(incident: Incident) -> str | None:
    """The group whose alerts an incident takes; None when nothing says what it is about."""
    if incident.group_key:
        return incident.group_key
    if incident.service:
        return group_key(incident.service, "")
    first = next(iter(incident.alerts), "")
    return group_key("", first) if first else None


def firing_at(alert_key: str, history: Sequence[Recorded], seq: int) -> Firing | None:
    """The occurrence that the event at a position belongs to; None when nothing had fired by then."""
    fired = next((past for past in reversed(history) if past.seq <= seq and isinstance(past.fact, AlertFired)), None)
    if fired is None:
        return None
    assert isinstance(fired.fact, AlertFired)
    title, severity, loudest = fired.fact.title, fired.fact.severity, fired
    is_over, snoozed_until = False, None
    later = [event for event in history if event.seq > fired.seq]
    during = list(takewhile(lambda event: not isinstance(event.fact, AlertFired), later))
    for event in during:
        match event.fact:
            case AlertUpdated():
                title = event.fact.title
                if _rank(event.fact.severity) < _rank(severity):
                    severity, loudest = event.fact.severity, event
            case AlertCleared() | AlertClearedUnseen():
                is_over = True
            case AlertSnoozed(until_at=until_at):
                snoozed_until = until_at
    # What is decided about it may be said after it has fired again.
    decided = [
        event
        for event in later
        if isinstance(event.fact, AlertPassedOver | AlertHeld) and event.fact.occurrence == fired.fact.occurrence
    ]
    return Firing(
        alert_key=alert_key,
        occurrence=fired.fact.occurrence,
        title=title[:TITLE_CHARS_MAX] or alert_key,
        severity=severity,
        service=fired.fact.service,
        fired_at=fired.happened_at,
        severe_at=loudest.happened_at,
        heard_at=loudest.recorded_at,
        fired_seq=fired.seq,
        cause_id=loudest.event.id,
        fired_id=fired.event.id,
        passed_over=any(isinstance(past.fact, AlertPassedOver) for past in decided),
        is_settled=any(isinstance(past.fact, AlertPassedOver) and past.seq > loudest.seq for past in decided),
        labels=fired.fact.labels,
        sender=fired.fact.sender,
        integration=fired.fact.integration,
        is_over=is_over or len(during) < len(later),
        held=next((past.fact for past in reversed(decided) if isinstance(past.fact, AlertHeld)), None),
        snoozed_until=snoozed_until,
        changes=tuple(past.happened_at for past in history if isinstance(past.fact, _CHANGES)),
    )


def known_alert(alert_key: str, history: Sequence[Recorded]) -> KnownAlert | None:
    """The latest firing of an alert that a person names."""
    firing = firing_at(alert_key, history, history[-1].seq) if history else None
    return KnownAlert(firing.occurrence, firing.title) if firing else None


def is_late(firing: Firing) -> bool:
    """Whether it was heard of so late that it may tell of an incident that is over."""
    return firing.heard_at - firing.severe_at >= LATE_AFTER


def lasted_at(incident: Incident, moment: datetime) -> bool:
    """Whether an incident that is over lasted at a moment: from its first sign to its resolution."""
    began = [sign for sign in (incident.impact_started_at, incident.detected_at) if sign is not None]
    over = incident.phase in ("resolved", "closed") and incident.resolved_at is not None
    return over and bool(began) and min(began) <= moment <= (incident.resolved_at or moment)


def place(
    firing: Firing,
    ruling: Ruling,
    holders: Sequence[Holder],
    targets: Sequence[Holder],
    past: Sequence[Holder] = (),
    *,
    now: datetime | None = None,
) -> Placement | None:
    """Where a firing belongs that is not held back; None when that has been answered before.

    Args:
        firing: the occurrence.
        ruling: what the rules say: ``place`` or ``record``.
        holders: every incident that may have answered it.
        targets: the incidents that the alerts of its group go to now, and then those of the services that its own
            depends on, merges followed.
        past: for a late one, the incidents that had the group by then, newest first, merges followed.
        now: the present moment; when it was heard of, by default.
    """
    verdict, moment = ruling.verdict, now or firing.heard_at
    if firing.is_settled or was_seen(firing, (*holders, *targets, *past)):
        return None
    about = ruling.about(firing)
    if verdict.action == "record":
        return None if firing.passed_over else _passed_over(firing, ruling, verdict.reason)
    if is_late(firing):
        for holder in past:
            if lasted_at(holder.incident, firing.severe_at):
                reason = f"{verdict.reason}; heard of late, it was so while this incident {about} lasted"
                return Late(holder.incident_id, _linked(firing, ruling, reason))
    for target in targets:
        if target.incident.is_open and _takes(target.incident, verdict.group_window, moment):
            it = f"about {target.needed}, which {firing.service} depends on," if target.needed else about
            reason = f"{verdict.reason}, and this incident {it} is open"
            return Joined(target.incident_id, _linked(firing, ruling, reason))
    if verdict.route_action == "join":
        reason = f"no incident {about} was open, and route {verdict.route} only joins"
        return None if firing.passed_over else _passed_over(firing, ruling, reason)
    if verdict.group_wait and not _has_waited(firing, moment):
        return None if firing.held and firing.held.because == "grouping" else Waiting(verdict.group_wait)
    reason = f"{verdict.reason}, and no incident {about} was open"
    declared = IncidentDeclared(
        title=firing.title,
        severity=verdict.incident_severity,
        service=firing.service,
        rule=ruling.rule,
        reason=reason,
        detected_at=firing.fired_at,
        policy=verdict.policy,
        group_key="" if verdict.group == group_key(firing.service, firing.alert_key) else verdict.group,
    )
    return Opened(declared, _linked(firing, ruling, reason))


def was_seen(firing: Firing, holders: Iterable[Holder]) -> bool:
    """Whether one of these incidents has, or had, this occurrence."""
    return any((firing.alert_key, firing.occurrence) in holder.incident.alerts_seen for holder in holders)


def _takes(incident: Incident, window: timedelta | None, moment: datetime) -> bool:
    """Whether an open incident still takes new alerts."""
    return window is None or incident.declared_at is None or moment <= incident.declared_at + window


def _has_waited(firing: Firing, moment: datetime) -> bool:
    held = firing.held
    return held is not None and held.because == "grouping" and held.until_at is not None and moment >= held.until_at


def _passed_over(firing: Firing, ruling: Ruling, reason: str) -> PassedOver:
    return PassedOver(
        AlertPassedOver(
            occurrence=firing.occurrence,
            rule=ruling.rule,
            reason=reason,
            route=ruling.verdict.route,
            rules_seq=ruling.rules_seq,
        )
    )


def _linked(firing: Firing, ruling: Ruling, reason: str) -> AlertLinked:
    return AlertLinked(
        alert_key=firing.alert_key,
        occurrence=firing.occurrence,
        title=firing.title,
        rule=ruling.rule,
        reason=reason,
        route=ruling.verdict.route,
        rules_seq=ruling.rules_seq,
    )


def _rank(severity: AlertSeverity) -> int:
    return ALERT_SEVERITIES.index(severity)


_CHANGES = (AlertFired, AlertCleared)
