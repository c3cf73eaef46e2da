"""Restatement: a figure as it was known at one position beside what it is at a later one, with the events between.

A figure for last month may change because somebody corrected a time, retracted an event, merged a duplicate or told
of an incident late. That is right; changing silently is not. What only went on meanwhile, such as an open incident that
has ended, is told apart from what was restated.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from projections.figures.cohort import Ask, Cohort, conditions, group_expression
from projections.lens import CORRECTIONS

EVENTS_MAX = 50
"""Events shown of one incident; an incident that was reworked more often is read on its own page."""

RESTATING = frozenset(
    {
        *CORRECTIONS,
        "incident.reopened",
        "incident.merged",
        "incident.unmerged",
        "incident.dismissed",
        "incident.severity_changed",
        "incident.determination_set",
        "incident.reinstated",
        "incident.absorbed",
        "incident.disowned",
        "incident.regressed",
        "incident.alert_unlinked",
    }
)
"""What changes what was already said of an incident; everything else that happens adds to it."""

Kind = Literal["restated", "added", "removed", "went on"]


class Measurement(msgspec.Struct, frozen=True):
    """What one metric says of one incident."""

    state: str
    reason: str
    duration_us: int | None
    """None when excluded; while it is not over, how long it has lasted."""


class Event(msgspec.Struct, frozen=True):
    """An event of an incident between two positions."""

    seq: int
    type: str
    headline: str
    actor: str
    happened_at: datetime
    recorded_at: datetime
    is_correction: bool
    """Whether it is of a type that changes what was already said."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of which a metric says something else than before."""

    metric: str
    group: str
    incident_id: str
    kind: Kind
    """``restated``: it had been measured, or excluded, otherwise. ``added`` and ``removed``: it came into the cohort,
    or left it. ``went on``: it had not been over."""
    then: Measurement | None
    now: Measurement | None
    events: tuple[Event, ...]
    """What was recorded of it between, corrections first; empty when something around it changed, such as a page."""


Key = tuple[str, str, str]


def measurements(ask: Ask, metrics: Sequence[str], cohort: Cohort) -> dict[Key, Measurement]:
    """The measurements of a cohort by metric, group and incident."""
    where, params = conditions(metrics, cohort)
    table = ask(
        f"""
        select metric, {group_expression(cohort)} as group_name, incident_id, state, coalesce(reason, ''), duration_us
        from measurements
        where {where}
        order by all
        """,
        params,
    )
    return {(row[0], row[1], row[2]): Measurement(*row[3:]) for row in table.rows}


def changes(
    then: Mapping[Key, Measurement], now: Mapping[Key, Measurement], events: Mapping[str, Sequence[Event]]
) -> list[Change]:
    """What differs between two positions.

    Args:
        then: the measurements at the earlier position.
        now: those at the later one.
        events: of incidents, between the two; ask `events_between` for those that `changed` names.
    """
    return [
        Change(
            metric=key[0],
            group=key[1],
            incident_id=key[2],
            kind=_kind(then.get(key), now.get(key)),
            then=then.get(key),
            now=now.get(key),
            events=tuple(sorted(events.get(key[2], ()), key=lambda event: (not event.is_correction, event.seq))),
        )
        for key in changed(then, now)
    ]


def changed(then: Mapping[Key, Measurement], now: Mapping[Key, Measurement]) -> list[Key]:
    """What differs; an open incident that is still open has only grown older."""
    return sorted(key for key in then.keys() | now.keys() if _differs(then.get(key), now.get(key)))


def events_between(ask: Ask, incidents: Sequence[str], after: int, until: int) -> dict[str, list[Event]]:
    """What was recorded of some incidents after one position and up to another."""
    table = ask(
        """
        select incident_id, seq, type, headline, coalesce(actor, ''), happened_at, recorded_at
        from incident_timeline
        where seq > ? and seq <= ? and list_contains(cast(? as varchar[]), incident_id)
        order by incident_id, seq
        """,
        [after, until, list(incidents)],
    )
    found: dict[str, list[Event]] = {}
    for incident_id, seq, kind, headline, actor, happened_at, recorded_at in table.rows:
        event = Event(seq, kind, headline or kind, actor, happened_at, recorded_at, kind in RESTATING)
        of_incident = found.setdefault(incident_id, [])
        if event.is_correction or len(of_incident) < EVENTS_MAX:
            of_incident.append(event)
    return found


def _differs(then: Measurement | None, now: Measurement | None) -> bool:
    if then is None or now is None:
        return then is not now
    if then.state == now.state == "censored":
        return False
    return then != now


def _kind(then: Measurement | None, now: Measurement | None) -> Kind:
    if then is None:
        return "added"
    if now is None:
        return "removed"
    return "went on" if then.state == "censored" and now.state == "measured" else "restated"
