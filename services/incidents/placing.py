"""Give each firing alert its incident, once: whoever delivers it, however often and however late.

Opening writes to the incident and to its group in one atomic batch with a version check on both, so that two copies of
the service cannot open two. Joining writes to the incident alone: that it is still open is what its version says.
"""

from datetime import datetime

from msgspec.structs import replace

from events import NOTHING, Event, EventLog, Fact, Write
from events.alert import AlertFired
from events.group import GroupAssigned
from events.ids import derived_event_id
from events.incident import AlertLinked, IncidentFact
from services.clock import Clock
from services.incidents.grouping import (
    RULE,
    Firing,
    Holder,
    Joined,
    Late,
    Opened,
    PassedOver,
    Rules,
    firing_at,
    group_key,
    is_late,
    place,
)
from services.incidents.histories import Group, Histories, Loaded, load_group
from services.incidents.milestones import earlier_detection

SOURCE = "recount/incidents"
ACTOR = "service:incidents"
# A start that lies years back must not have every incident of a service loaded.
PAST_INCIDENTS_MAX = 20


class Placing:
    """Decides about firings on what the log holds now."""

    def __init__(self, log: EventLog, histories: Histories, clock: Clock, rules: Rules) -> None:
        self._log = log
        self._histories = histories
        self._clock = clock
        self._rules = rules

    async def firing(self, alert_key: str, seq: int, fact: Fact) -> tuple[Firing | None, int]:
        """The occurrence that an event belongs to, as known by now, and the version of the alert's stream."""
        # A firing begins its occurrence, so nothing before it matters; an update must look back for it.
        after = seq - 1 if isinstance(fact, AlertFired) else 0
        history = await self._log.read(f"alert.{alert_key}", after=after)
        firing = firing_at(alert_key, history, seq)
        if firing is not None:
            # Late only when both clocks say so: whatever is in doubt is news.
            firing = replace(firing, heard_at=min(firing.heard_at, self._clock.now()))
        return firing, history[-1].seq if history else 0

    async def writes(self, firing: Firing, alert_version: int) -> tuple[Write, ...]:
        """What there is to say about a firing; nothing when it has been said."""
        group = await load_group(self._log, group_key(firing.service, firing.alert_key))
        # The target first: whatever is added to it after this fails the version check, and whatever was added to the
        # others before shows in what is loaded next.
        target = await self._histories.root(group.incident_id) if group.incident_id else None
        loaded = await self._histories.with_roots(group.since(firing.fired_seq))
        past = await self._past(group, firing)
        placement = place(
            firing,
            self._rules,
            [_holder(each) for each in (*loaded, *([target] if target else []))],
            _holder(target) if target else None,
            [_holder(each) for each in past],
        )
        now = self._clock.now()
        match placement:
            case None:
                return ()
            case PassedOver(fact):
                passed_over = _said(firing, "passed_over", fact, now, about="")
                return (Write(f"alert.{firing.alert_key}", alert_version, (passed_over,)),)
            case Joined(incident_id, linked):
                assert target is not None
                joined = _said(firing, "linked", linked, now, about=incident_id)
                return (Write(target.stream, target.version, (joined,)),)
            case Late(incident_id, linked):
                (over,) = {each.incident_id: each for each in past if each.incident_id == incident_id}.values()
                return await self._late_evidence(firing, over, linked, now)
            case Opened():
                return await self._open(firing, placement, group, target, now)

    async def _past(self, group: Group, firing: Firing) -> list[Loaded]:
        """For a late firing, the incidents that had its group, newest first, back to one that was over before it."""
        found: list[Loaded] = []
        if is_late(firing):
            for _seq, identifier in group.assignments[: -PAST_INCIDENTS_MAX - 1 : -1]:
                found.append(await self._histories.root(identifier))
                resolved_at = found[-1].incident.resolved_at
                if resolved_at is not None and resolved_at < firing.severe_at:
                    break
        return found

    async def _late_evidence(
        self, firing: Firing, over: Loaded, linked: AlertLinked, now: datetime
    ) -> tuple[Write, ...]:
        facts: list[tuple[str, IncidentFact]] = [("linked", linked)]
        history = [past for past in await self._log.read(over.stream) if past.seq <= over.version]
        if earlier := earlier_detection(history, firing.fired_at, f"the alert {firing.title!r} had fired by then"):
            facts.append(("detected", replace(earlier, evidence=f"alert.{firing.alert_key}")))
        events = tuple(_said(firing, what, fact, now, about=over.incident_id) for what, fact in facts)
        return (Write(over.stream, over.version, events),)

    async def _open(
        self, firing: Firing, opened: Opened, group: Group, over: Loaded | None, now: datetime
    ) -> tuple[Write, ...]:
        incident_id = await self._histories.next_id()
        declared = opened.declared
        assigned = GroupAssigned(incident_id=incident_id, service=firing.service or firing.title, rule=RULE)
        stream = f"incident.{incident_id}"
        first = _said(firing, "declared", declared, now, about=incident_id)
        second = _said(firing, "linked", opened.linked, now, about=incident_id)
        assign = Write(group.stream, group.version, (_said(firing, "assigned", assigned, now, about=incident_id),))
        if over is None:
            return Write(stream, NOTHING, (first, second)), assign
        # The incident that had the group is over, and must still be when this is stored.
        return (
            Write(stream, NOTHING, (first,)),
            Write(stream, over.version, (second,), rests_on=over.stream),
            assign,
        )


async def taking_its_group(log: EventLog, histories: Histories, key: str, taker: Loaded, event: Event) -> Write | None:
    """What gives an incident that begins to be open the alerts of its group, unless another open one has them.

    When it has them already the write is made all the same: its version check keeps a new incident from being opened
    for the group in the same moment.
    """
    group = await load_group(log, key)
    if group.incident_id and group.incident_id != taker.incident_id:
        current = await histories.root(group.incident_id)
        if current.incident.is_open and current.incident_id != taker.incident_id:
            return None
    return Write(group.stream, group.version, (event,))


def _holder(loaded: Loaded) -> Holder:
    return Holder(loaded.incident_id, loaded.incident)


def _said(firing: Firing, what: str, fact: Fact, now: datetime, *, about: str) -> Event:
    return Event(
        id=derived_event_id(firing.fired_id, what),
        fact=fact,
        happened_at=now,
        source=SOURCE,
        actor=ACTOR,
        causation_id=firing.cause_id,
        correlation_id=about,
    )
