"""Restatement: a figure as it was known at one position beside what it is at a later one, with the events between.

A figure for last month may change because somebody corrected a time, retracted an event, merged a duplicate or told
of an incident late. That is right; changing silently is not. What only went on meanwhile, such as an open incident that
has ended, or one that began since, is told apart from what was restated. The events that did it are those of the view
`corrections`, those that decide who is counted, and those that the measurement rests on.
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

Kind = Literal["restated", "added", "removed", "went on", "began since"]
WENT_ON: frozenset[Kind] = frozenset({"went on", "began since"})
"""What time alone brings; nothing that had been said was wrong."""


class Measurement(msgspec.Struct, frozen=True):
    """What one metric says of one incident."""

    state: str
    reason: str
    duration_us: int | None
    """None when excluded; while it is not over, how long it has lasted."""
    began_at: datetime | None = None
    """When the incident started."""
    started_seq: int | None = None
    """The log position of what started the clock."""
    ended_seq: int | None = None
    """The log position of what stopped it."""

    @property
    def told(self) -> tuple[str, str, int | None]:
        """What a figure takes from it."""
        return self.state, self.reason, self.duration_us


class Event(msgspec.Struct, frozen=True):
    """An event of an incident between two positions."""

    seq: int
    type: str
    headline: str
    actor: str
    happened_at: datetime
    recorded_at: datetime
    is_correction: bool
    """Whether it changes what was already said."""
    reason: str = ""
    """Why, as whoever corrected it said."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of which a metric says something else than before."""

    metric: str
    group: str
    incident_id: str
    kind: Kind
    """``restated``: it had been measured, or excluded, otherwise. ``added`` and ``removed``: it came into the cohort,
    or left it. ``went on``: it had not been over, and lasted on. ``began since``: it started after the earlier
    position."""
    then: Measurement | None
    now: Measurement | None
    events: tuple[Event, ...]
    """What did it, corrections first; empty when something around it changed, such as what it was merged into."""


Key = tuple[str, str, str]


def measurements(ask: Ask, metrics: Sequence[str], cohort: Cohort) -> dict[Key, Measurement]:
    """The measurements of a cohort by metric, group and incident."""
    where, params = conditions(metrics, cohort)
    table = ask(
        f"""
        select
            metric, {group_expression(cohort)} as group_name, incident_id, state, coalesce(reason, ''), duration_us,
            cohort_at, started_seq, ended_seq
        from measurements
        where {where}
        order by all
        """,
        params,
    )
    return {(row[0], row[1], row[2]): Measurement(*row[3:]) for row in table.rows}


def changes(
    then: Mapping[Key, Measurement],
    now: Mapping[Key, Measurement],
    events: Mapping[str, Sequence[Event]],
    *,
    since: datetime | None = None,
) -> list[Change]:
    """What differs between two positions.

    Args:
        then: the measurements at the earlier position.
        now: those at the later one.
        events: of incidents, between the two; ask `events_between` for those that `changed` names.
        since: the moment of the earlier position; what started after it began since.
    """
    return [
        Change(
            metric=key[0],
            group=key[1],
            incident_id=key[2],
            kind=_kind(then.get(key), now.get(key), since),
            then=then.get(key),
            now=now.get(key),
            events=_because(events.get(key[2], ()), now.get(key)),
        )
        for key in changed(then, now)
    ]


def changed(then: Mapping[Key, Measurement], now: Mapping[Key, Measurement]) -> list[Key]:
    """What differs; an open incident that is still open has only grown older."""
    return sorted(key for key in then.keys() | now.keys() if _differs(then.get(key), now.get(key)))


def events_between(ask: Ask, incidents: Sequence[str], after: int, until: int) -> dict[str, list[Event]]:
    """What was recorded of some incidents after one position and up to another; of each, all corrections."""
    table = ask(
        """
        select
            timeline.incident_id, timeline.seq, timeline.type, timeline.headline, coalesce(timeline.actor, ''),
            timeline.happened_at, timeline.recorded_at, corrections.seq is not null, coalesce(corrections.reason, '')
        from incident_timeline as timeline
        left join corrections using (incident_id, seq)
        where timeline.seq > ? and timeline.seq <= ? and list_contains(cast(? as varchar[]), timeline.incident_id)
        order by timeline.incident_id, timeline.seq
        """,
        [after, until, list(incidents)],
    )
    found: dict[str, list[Event]] = {}
    for incident_id, seq, kind, headline, actor, happened_at, recorded_at, corrects, reason in table.rows:
        is_correction = corrects or kind in RESTATING
        event = Event(seq, kind, headline or kind, actor, happened_at, recorded_at, is_correction, reason)
        found.setdefault(incident_id, []).append(event)
    return found


def _because(events: Sequence[Event], now: Measurement | None) -> tuple[Event, ...]:
    """Of what was recorded, what can have changed a measurement: corrections, and what it rests on."""
    ends = (now.started_seq, now.ended_seq) if now is not None else ()
    telling = [event for event in events if event.is_correction or event.seq in ends]
    return tuple(sorted(telling, key=lambda event: (not event.is_correction, event.seq))[:EVENTS_MAX])


def _differs(then: Measurement | None, now: Measurement | None) -> bool:
    if then is None or now is None:
        return then is not now
    if then.state == now.state == "censored":
        return False
    return then.told != now.told


def _kind(then: Measurement | None, now: Measurement | None, since: datetime | None) -> Kind:
    if now is None:
        return "removed"
    if then is None:
        began_since = since is not None and now.began_at is not None and now.began_at > since
        return "began since" if began_since else "added"
    return "went on" if _lasted_on(then, now) else "restated"


def _lasted_on(then: Measurement, now: Measurement) -> bool:
    """Whether it was not over, and ended after what was known of it. An end before that was only told of late."""
    return then.state == "censored" and now.state == "measured" and (now.duration_us or 0) >= (then.duration_us or 0)
