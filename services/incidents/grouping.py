"""Which incident does a firing alert belong to? Pure: the rule, its reason, and what follows.

There is one rule, *by service*: alerts about the same service that are severe enough open one incident and then join it
for as long as it is open. An alert that names no service is a group of its own. An incident that is over (resolved,
closed or dismissed) frees its group, so the next alert opens a new one; a merged incident hands its alerts to the one
that carries on. Alerts that clear leave the incident as it is: that everything is well again is for people to say, and
the timeline shows the clearing.

An alert that is heard of late, and became that severe while an incident of its group lasted that is over by now, joins
that one as evidence: it opens nothing and wakes nobody. One that is heard of in time is news, however short before its
start the incident was resolved.

It decides about an *occurrence* (one firing, until the alert clears and fires again), and looks at all that is known of
it by now: delivered again after hours, or in another order, the answer is the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from types import MappingProxyType

import msgspec

from events import Recorded
from events.alert import (
    ALERT_SEVERITIES,
    AlertFired,
    AlertPassedOver,
    AlertSeverity,
    AlertUpdated,
)
from events.ids import key_of
from events.incident import AlertLinked, IncidentDeclared, Severity
from services.incidents.circumstances import KnownAlert
from services.incidents.commands import TITLE_CHARS_MAX
from services.incidents.state import Incident

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


class Holder(msgspec.Struct, frozen=True):
    """An incident that may have the alert already, or may take it."""

    incident_id: str
    incident: Incident


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


Placement = PassedOver | Joined | Late | Opened


def group_key(service: str, alert_key: str) -> str:
    """The group of an alert: its service, or itself when it names none."""
    return key_of("service", service) if service else key_of("alert", alert_key)


def group_of_incident(incident: Incident) -> str | None:
    """The group whose alerts an incident takes; None when nothing says what it is about."""
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
    later = [event for event in history if event.seq > fired.seq]
    for event in takewhile(lambda event: not isinstance(event.fact, AlertFired), later):
        if isinstance(event.fact, AlertUpdated):
            title = event.fact.title
            if _rank(event.fact.severity) < _rank(severity):
                severity, loudest = event.fact.severity, event
    # That it was passed over may be said after it has fired again.
    passed_over = any(
        isinstance(event.fact, AlertPassedOver) and event.fact.occurrence == fired.fact.occurrence for event in later
    )
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
        passed_over=passed_over,
    )


def known_alert(alert_key: str, history: Sequence[Recorded]) -> KnownAlert | None:
    """The latest firing of an alert that a person names."""
    firing = firing_at(alert_key, history, history[-1].seq) if history else None
    return KnownAlert(firing.occurrence, firing.title) if firing else None


def is_severe_enough(firing: Firing, rules: Rules) -> bool:
    """Whether it may open or join an incident at all."""
    return _rank(firing.severity) <= _rank(rules.opens_at)


def is_late(firing: Firing) -> bool:
    """Whether it was heard of so late that it may tell of an incident that is over."""
    return firing.heard_at - firing.severe_at >= LATE_AFTER


def lasted_at(incident: Incident, moment: datetime) -> bool:
    """Whether an incident that is over lasted at a moment: from its first sign to its resolution."""
    began = [sign for sign in (incident.impact_started_at, incident.detected_at) if sign is not None]
    over = incident.phase in ("resolved", "closed") and incident.resolved_at is not None
    return over and bool(began) and min(began) <= moment <= (incident.resolved_at or moment)


def place(
    firing: Firing, rules: Rules, holders: Sequence[Holder], target: Holder | None, past: Sequence[Holder] = ()
) -> Placement | None:
    """Where a firing belongs; None when that has been answered before.

    Args:
        firing: the occurrence.
        rules: what the operator configured.
        holders: every incident that may have answered it.
        target: the incident that the group's alerts go to now, merges followed; None when there was none yet.
        past: for a late one, the incidents that had the group by then, newest first, merges followed.
    """
    if any((firing.alert_key, firing.occurrence) in holder.incident.alerts_seen for holder in (*holders, *past)):
        return None
    about = f"about {firing.service}" if firing.service else "of this alert"
    if not is_severe_enough(firing, rules):
        if firing.passed_over:
            return None
        return PassedOver(
            AlertPassedOver(
                occurrence=firing.occurrence,
                rule=RULE,
                reason=f"its severity is {firing.severity}; an incident needs at least {rules.opens_at}",
            )
        )
    severe = f"severity {firing.severity} is at least {rules.opens_at}"
    if is_late(firing):
        for holder in past:
            if lasted_at(holder.incident, firing.severe_at):
                reason = f"{severe}; heard of late, it was so while this incident {about} lasted"
                return Late(holder.incident_id, _linked(firing, reason))
    if target is not None and target.incident.is_open:
        reason = f"{severe}, and this incident {about} is open"
        return Joined(target.incident_id, _linked(firing, reason))
    reason = f"{severe}, and no incident {about} was open"
    declared = IncidentDeclared(
        title=firing.title,
        severity=rules.severity[firing.severity],
        service=firing.service,
        rule=RULE,
        reason=reason,
        detected_at=firing.fired_at,
    )
    return Opened(declared, _linked(firing, reason))


def _linked(firing: Firing, reason: str) -> AlertLinked:
    return AlertLinked(
        alert_key=firing.alert_key, occurrence=firing.occurrence, title=firing.title, rule=RULE, reason=reason
    )


def _rank(severity: AlertSeverity) -> int:
    return ALERT_SEVERITIES.index(severity)
