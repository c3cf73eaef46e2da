"""Give each firing alert its incident, once: whoever delivers it, however often and however late.

Opening writes to the incident and to its group in one atomic batch with a version check on both, so that two copies of
the service cannot open two. Joining writes to the incident alone: that it is still open is what its version says.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from events import Event, EventLog, Fact, Recorded, Write
from events.alert import AlertFired
from events.group import GroupAssigned
from events.ids import derived_event_id
from events.incident import AlertLinked, IncidentFact
from events.subjects import split
from services.clock import Clock
from services.incidents.draft import Draft
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
# Streams that are read at the same time: enough to keep the server busy, few enough to leave room for others.
READS_AT_ONCE = 32

Loadable = TypeVar("Loadable")


class _Known(msgspec.Struct, frozen=True):
    """An occurrence, and the version of its alert's stream."""

    firing: Firing
    version: int


class Placing:
    """Decides about firings on what the log holds now."""

    def __init__(self, log: EventLog, histories: Histories, clock: Clock, rules: Rules) -> None:
        self._log = log
        self._histories = histories
        self._clock = clock
        self._rules = rules
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    async def draft(self, events: Sequence[Recorded]) -> tuple[tuple[Write, ...], int]:
        """What there is to say about some alerts, nothing about those of which it has been said; and how many of the
        events that answers, from the first on. The others want another draft."""
        draft = Draft(self._log)
        found = await asyncio.gather(*(self._firing(event) for event in events))
        # A firing and what changed it since are one occurrence.
        firings = {(each.firing.alert_key, each.firing.occurrence): each for each in found if each is not None}
        holders = await self._load(draft, [each.firing for each in firings.values()])
        for number, each in enumerate(found):
            known = firings.pop((each.firing.alert_key, each.firing.occurrence), None) if each else None
            if known is None:
                continue
            is_said = await self._decide(draft, known, holders[_group_of(known.firing)])
            if not is_said or draft.is_full:
                return draft.writes(), number + is_said
        return draft.writes(), len(events)

    async def _firing(self, event: Recorded) -> _Known | None:
        """The occurrence that an event belongs to, as known by now."""
        _category, alert_key = split(event.stream)
        # A firing begins its occurrence, so nothing before it matters; an update must look back for it.
        after = event.seq - 1 if isinstance(event.fact, AlertFired) else 0
        async with self._reads:
            history = await self._log.read(event.stream, after=after)
        firing = firing_at(alert_key, history, event.seq)
        if firing is None:
            return None
        # Late only when both clocks say so: whatever is in doubt is news.
        firing = replace(firing, heard_at=min(firing.heard_at, self._clock.now()))
        return _Known(firing, history[-1].seq)

    async def _load(self, draft: Draft, firings: Sequence[Firing]) -> dict[str, list[Loaded]]:
        """Put into a draft where the alerts of some groups go, and find by group which incidents may have answered
        them already."""
        since: dict[str, int] = {}
        for firing in firings:
            key = _group_of(firing)
            since[key] = min(firing.fired_seq, since.get(key, firing.fired_seq))
        draft.groups = {group.key: group for group in await self._each(load_group(self._log, key) for key in since)}
        # The targets first: whatever is added to them after this fails the version check, and whatever was added to
        # the others before shows in what is loaded next.
        assigned = {group.incident_id for group in draft.groups.values() if group.incident_id}
        targets = dict(zip(assigned, await self._each(self._histories.root(each) for each in assigned), strict=True))
        draft.incidents = {
            **{each.incident_id: each for each in targets.values()},
            **{identifier: root for identifier, root in targets.items() if identifier != root.incident_id},
        }
        groups = list(draft.groups.values())
        before = await self._each(self._histories.with_roots(group.since(since[group.key])) for group in groups)
        return {group.key: loaded for group, loaded in zip(groups, before, strict=True)}

    async def _each(self, loads: Iterable[Awaitable[Loadable]]) -> list[Loadable]:
        async def one(load: Awaitable[Loadable]) -> Loadable:
            async with self._reads:
                return await load

        return await asyncio.gather(*map(one, loads))

    async def _decide(self, draft: Draft, known: _Known, holders: Sequence[Loaded]) -> bool:
        """Add what there is to say about a firing. False when that must wait for a draft of its own."""
        firing = known.firing
        group = draft.groups[_group_of(firing)]
        target = draft.incidents[group.incident_id] if group.incident_id else None
        past = await self._past(group, firing)
        placement = place(
            firing,
            self._rules,
            [_holder(each) for each in (*holders, *([target] if target else []))],
            _holder(target) if target else None,
            [_holder(each) for each in past],
        )
        now = self._clock.now()
        match placement:
            case None:
                pass
            case PassedOver(fact):
                draft.say(f"alert.{firing.alert_key}", known.version, _said(firing, "passed_over", fact, now, about=""))
            case Joined(incident_id, linked):
                assert target is not None
                draft.say(target.stream, target.version, _said(firing, "linked", linked, now, about=incident_id))
            case Late(incident_id, linked):
                if draft.size:
                    return False
                (over,) = {each.incident_id: each for each in past if each.incident_id == incident_id}.values()
                await self._late_evidence(draft, firing, over, linked, now)
            case Opened():
                await self._open(draft, firing, placement, group, target, now)
        return True

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
        self, draft: Draft, firing: Firing, over: Loaded, linked: AlertLinked, now: datetime
    ) -> None:
        facts: list[tuple[str, IncidentFact]] = [("linked", linked)]
        history = [past for past in await self._log.read(over.stream) if past.seq <= over.version]
        if earlier := earlier_detection(history, firing.fired_at, f"the alert {firing.title!r} had fired by then"):
            facts.append(("detected", replace(earlier, evidence=f"alert.{firing.alert_key}")))
        said = [_said(firing, what, fact, now, about=over.incident_id) for what, fact in facts]
        draft.say(over.stream, over.version, *said)

    async def _open(
        self, draft: Draft, firing: Firing, opened: Opened, group: Group, over: Loaded | None, now: datetime
    ) -> None:
        incident_id = await draft.new_incident_id()
        assigned = GroupAssigned(incident_id=incident_id, service=firing.service or firing.title, rule=RULE)
        first = _said(firing, "declared", opened.declared, now, about=incident_id)
        second = _said(firing, "linked", opened.linked, now, about=incident_id)
        third = _said(firing, "assigned", assigned, now, about=incident_id)
        draft.open(incident_id, (first, second), group, third, over=over)


def _group_of(firing: Firing) -> str:
    return group_key(firing.service, firing.alert_key)


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
