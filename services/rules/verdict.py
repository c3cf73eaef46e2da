"""What is to be done about an alert that fires, and why: every rule that was looked at, in order. Pure.

Order: severity mapping, route, inhibition, silence, muted or active times, snooze, flapping, action and severity of
the route, group.

An alert takes one route, or several when one says ``continue``. It is placed by the first of them that lets it open
or join; held back when none does now but one will later; and only recorded otherwise. `Verdict.also` names the other
routes that would have let it through, and the reason those whose policy is therefore not paged.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from events.alert import ALERT_SEVERITIES, AlertSeverity, HoldCause
from events.ids import key_of
from events.incident import Severity
from services.rules.flapping import flaps_until
from services.rules.inhibition import Inhibited, InhibitionKey, inhibition_keys
from services.rules.matchers import unfit
from services.rules.routing import route_of
from services.rules.ruleset import ALL_LABELS, DEFAULT_POLICY, Action, RouteRule, RuleSet
from services.rules.silences import Silence, last_to_end
from services.rules.time_intervals import TimeInterval, awake_again, muted_by

__all__ = [
    "Hold",
    "Inhibited",
    "InhibitionKey",
    "Situation",
    "Step",
    "Verdict",
    "group_of",
    "inhibition_keys",
    "labels_to_match",
    "service_group",
    "verdict",
]

Outcome = Literal["fits", "does not fit", "holds", "lets through", "records"]


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides about one firing of an alert."""

    alert_key: str
    occurrence: int
    labels: Mapping[str, str]
    """What matchers see: `labels_to_match`."""
    severity: AlertSeverity
    """The most severe that this occurrence has been, as its sender says."""
    service: str = ""
    fired_at: datetime
    changes: tuple[datetime, ...] = ()
    """When the alert fired and cleared lately, this firing included; at least the last ``flapping.changes`` of them."""
    rules: RuleSet
    rules_seq: int = 0
    silences: tuple[Silence, ...] = ()
    """Every silence that may hold now; those that have not begun or have ended change nothing."""
    inhibited_by: tuple[Inhibited, ...] = ()
    """Which alerts fire at the keys of `inhibition_keys` where this one looks (``is_source`` false)."""
    snoozed_until: datetime | None = None
    now: datetime


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert is held back, and until when at the latest."""

    because: HoldCause
    held_by: str
    """Id of the silence, name of the inhibition rule, of the time interval, or path of the route."""
    holder_alert_key: str = ""
    until_at: datetime | None = None
    """None: until another event."""


class Step(msgspec.Struct, frozen=True):
    """One rule that was looked at."""

    what: str
    """``route default/payments``, ``inhibition node down``, ``silence sil-7f3k2m9qx4``."""
    outcome: Outcome
    detail: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about the alert."""

    action: Literal["place", "record", "hold"]
    """Place it in an incident (see ``route_action``), only record it, or hold it back for now (see ``hold``)."""
    hold: Hold | None = None
    route: str
    """Path of the route that decided."""
    route_action: Action
    """``open``: open or join; ``join``: only join an incident that is open; ``record``."""
    also: tuple[str, ...] = ()
    """Other routes that would have let it through, because one before said ``continue``."""
    group: str
    """Key of the stream ``group.<key>``."""
    group_labels: Mapping[str, str]
    """The labels that make the group, with their values; empty when the alert is a group of its own."""
    severity: AlertSeverity
    """As mapped by ``[[severity_of]]``."""
    incident_severity: Severity
    policy: str
    group_wait: timedelta
    group_window: timedelta | None
    resolve_after_clear: timedelta | None
    expire_after: timedelta | None
    dependency_groups: tuple[str, ...] = ()
    """Groups of the services that the alert's service needs, the nearest first: it joins an open incident of one of
    these rather than open its own."""
    reason: str
    """One sentence for people."""
    steps: tuple[Step, ...]
    """Every rule that was looked at, in order."""


def labels_to_match(
    labels: Mapping[str, str], *, service: str, severity: str, sender: str, integration: str, title: str
) -> dict[str, str]:
    """What matchers see: the alert's own labels, and what else is known of it where no label has that name."""
    known = {
        "service": service,
        "severity": severity,
        "sender": sender,
        "integration": integration,
        "alertname": title,
    }
    return {**known, **labels}


def service_group(service: str) -> str:
    """Key of the group of a service, whichever route an alert took: incidents that people declare have it too."""
    return key_of("service", service)


def group_of(route: RouteRule, labels: Mapping[str, str], service: str, alert_key: str) -> tuple[str, dict[str, str]]:
    """Key and labels of the group that an alert belongs to by a route.

    Grouped by ``service`` alone, a group is the service's, whatever the route. Otherwise each route has groups of its
    own. An alert that has none of the labels to group by is a group of its own.
    """
    names = sorted(labels) if route.group_by == (ALL_LABELS,) else route.group_by
    values = {name: labels.get(name, "") for name in names}
    if route.group_by == ("service",):
        values["service"] = service or values["service"]
    if values and not any(values.values()):
        return key_of("alert", alert_key), {}
    if route.group_by == ("service",):
        return service_group(values["service"]), values
    return key_of("group", route.path, *(part for pair in sorted(values.items()) for part in pair)), values


def verdict(situation: Situation) -> Verdict:
    """What is to be done about a firing. The same situation always gives the same verdict."""
    steps: list[Step] = []
    rules = situation.rules
    severity = _mapped_severity(situation, steps)
    routed = route_of(rules.route, situation.labels)
    for asked in routed.asked:
        fits = asked.unfit is None
        steps.append(Step(f"route {asked.route.path}", "fits" if fits else "does not fit", str(asked.unfit or "")))
    # Each is asked whatever the others say, so that all that holds an alert back is told.
    inhibited, silenced = _inhibited(situation, steps), _silenced(situation, steps)
    mutes = [_muted(route, situation, steps) for route in routed.routes]
    snoozed, flapping = _snoozed(situation, steps), _flapping(situation, steps)
    found = [
        _by_route(route, situation, severity, inhibited or silenced or muted or snoozed or flapping, steps)
        for route, muted in zip(routed.routes, mutes, strict=True)
    ]
    found.sort(key=_preference)  # stable: the first of its kind
    others = [each for each in found[1:] if each.action == found[0].action == "place"]
    return msgspec.structs.replace(
        found[0],
        also=tuple(each.route for each in others),
        steps=tuple(steps),
        reason=f"{found[0].reason}{_unpaged(found[0], others)}",
    )


def _unpaged(chosen: Verdict, others: Sequence[Verdict]) -> str:
    """What is said of other routes whose policy would have been paged if an alert had several places."""
    left_out = {
        each.policy or DEFAULT_POLICY: each.route
        for each in reversed(others)
        if each.route_action == "open" and (each.policy or DEFAULT_POLICY) != (chosen.policy or DEFAULT_POLICY)
    }
    told = ", ".join(f"{route}, whose policy {policy} is not paged" for policy, route in reversed(left_out.items()))
    return f" (it would have been placed too by {told})" if told else ""


def _preference(found: Verdict) -> tuple[int, bool, datetime]:
    """What is placed, before what is held back for the shortest time, before what is only recorded."""
    until = found.hold.until_at if found.hold else None
    return ("place", "hold", "record").index(found.action), until is None, until or datetime.max.replace(tzinfo=UTC)


def _by_route(
    route: RouteRule,
    situation: Situation,
    severity: AlertSeverity,
    hold: Hold | None,
    steps: list[Step],
) -> Verdict:
    """What one of the routes that it takes makes of it; adds to the steps what this route was asked."""
    rules = situation.rules
    action: Literal["place", "record", "hold"]
    action, reason = _threshold(route, severity, steps)
    if hold is not None:
        action, reason = "hold", _hold_reason(hold, situation)
    group, group_labels = group_of(route, situation.labels, situation.service, situation.alert_key)
    if action == "place":
        steps.append(Step(f"group of {route.path}", "lets through", _listed(group_labels) or "a group of its own"))
    return Verdict(
        action=action,
        hold=hold,
        route=route.path,
        route_action=route.action,
        group=group,
        group_labels=group_labels,
        severity=severity,
        incident_severity=rules.severity[severity],
        policy=route.policy,
        group_wait=route.group_wait,
        group_window=route.group_window,
        resolve_after_clear=route.resolve_after_clear,
        expire_after=route.expire_after,
        dependency_groups=tuple(service_group(name) for name in rules.needs(situation.service)),
        reason=reason,
        steps=(),
    )


def _mapped_severity(situation: Situation, steps: list[Step]) -> AlertSeverity:
    for number, rule in enumerate(situation.rules.severity_of):
        problem = unfit(rule.matchers, situation.labels)
        if problem is None:
            steps.append(Step(f"severity_of[{number}]", "fits", f"{situation.severity} counts as {rule.severity}"))
            return rule.severity
        steps.append(Step(f"severity_of[{number}]", "does not fit", str(problem)))
    return situation.severity


def _inhibited(situation: Situation, steps: list[Step]) -> Hold | None:
    by_rule: dict[str, str] = {}
    for inhibited in situation.inhibited_by:
        by_rule.setdefault(inhibited.rule, inhibited.source_alert_key)
    hold = None
    for rule in situation.rules.inhibit:
        what = f"inhibition {rule.name}"
        if (problem := unfit(rule.target, situation.labels)) is not None:
            steps.append(Step(what, "does not fit", str(problem)))
        elif rule.name not in by_rule:
            steps.append(Step(what, "lets through", "no alert fires that would hold it back"))
        else:
            steps.append(Step(what, "holds", f"alert {by_rule[rule.name]} fires"))
            hold = hold or Hold(because="inhibited", held_by=rule.name, holder_alert_key=by_rule[rule.name])
    return hold


def _silenced(situation: Situation, steps: list[Step]) -> Hold | None:
    for silence in situation.silences:
        state = silence.state_at(situation.now)
        problem = unfit(silence.matchers, situation.labels) if state == "active" else None
        what = f"silence {silence.silence_id}"
        if state != "active":
            times = {"pending": f"begins {silence.starts_at.isoformat()}", "ended": "has ended"}
            steps.append(Step(what, "lets through", times[state]))
        elif problem is not None:
            steps.append(Step(what, "does not fit", str(problem)))
        else:
            steps.append(Step(what, "holds", f"until {silence.ends_at.isoformat()}: {silence.reason}"))
    last = last_to_end(situation.silences, situation.labels, situation.now)
    if last is None:
        return None
    return Hold(because="silenced", held_by=last.silence_id, until_at=last.ends_at)


def _muted(route: RouteRule, situation: Situation, steps: list[Step]) -> Hold | None:
    if not route.mute and not route.active:
        return None
    mute, active = situation.rules.intervals(route.mute), situation.rules.intervals(route.active)
    name = muted_by(mute, active, situation.now)
    if name is None:
        steps.append(Step(f"times of {route.path}", "lets through", ", ".join((*route.mute, *route.active))))
        return None
    until = awake_again(mute, active, situation.now)
    where = _place_in_time(name, mute, situation.now)
    detail = f"{where} until {until.isoformat()}" if until else f"{where}, for years"
    steps.append(Step(f"times of {route.path}", "holds", detail))
    return Hold(because="muted", held_by=name, until_at=until)


def _snoozed(situation: Situation, steps: list[Step]) -> Hold | None:
    until = situation.snoozed_until
    if until is None:
        return None
    if situation.now >= until:
        steps.append(Step("snooze", "lets through", f"ended {until.isoformat()}"))
        return None
    steps.append(Step("snooze", "holds", f"at its sender until {until.isoformat()}"))
    return Hold(because="snoozed", held_by="sender", until_at=until)


def _flapping(situation: Situation, steps: list[Step]) -> Hold | None:
    rule = situation.rules.flapping
    if rule is None:
        return None
    until = flaps_until(rule, situation.changes, situation.now)
    # All that is known of the alert is given, however long ago.
    lately = sum(situation.now - rule.within <= change <= situation.now for change in situation.changes)
    told = f"{lately} changes within {rule.within}; {rule.changes} are flapping"
    if until is None:
        steps.append(Step("flapping", "lets through", told))
        return None
    steps.append(Step("flapping", "holds", f"{told}; until {until.isoformat()}"))
    return Hold(because="flapping", held_by="flapping", until_at=until)


def _threshold(route: RouteRule, severity: AlertSeverity, steps: list[Step]) -> tuple[Literal["place", "record"], str]:
    what = f"severity of {route.path}"
    if route.action == "record":
        steps.append(Step(f"action of {route.path}", "records", "its alerts are only recorded"))
        return "record", f"route {route.path} only records"
    if ALERT_SEVERITIES.index(severity) > ALERT_SEVERITIES.index(route.opens_at):
        reason = f"its severity is {severity}; an incident needs at least {route.opens_at}"
        steps.append(Step(what, "records", reason))
        return "record", reason
    reason = f"severity {severity} is at least {route.opens_at}"
    steps.append(Step(what, "lets through", reason))
    return "place", reason


def _hold_reason(hold: Hold, situation: Situation) -> str:
    ends = f" until {hold.until_at.isoformat()}" if hold.until_at else ""
    match hold.because:
        case "flapping":
            return f"flapping{ends}"
        case "snoozed":
            return f"snoozed at its sender{ends}"
        case "muted":
            mute = situation.rules.time_intervals.get(hold.held_by)
            return f"muted {_place_in_time(hold.held_by, (mute,) if mute else (), situation.now)}{ends}"
        case _:
            by = f" while alert {hold.holder_alert_key} fires" if hold.holder_alert_key else ""
            return f"{hold.because} by {hold.held_by}{by}{ends}"


def _place_in_time(name: str, intervals: Sequence[TimeInterval], now: datetime) -> str:
    """``within nights``, or ``outside hours`` where an interval is one in which the route is awake."""
    return f"within {name}" if any(each.name == name and each.has(now) for each in intervals) else f"outside {name}"


def _listed(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items())
