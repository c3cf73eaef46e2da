"""Give each firing alert its incident, once: whoever delivers it, however often and however late.

Opening writes to the incident and to its group in one atomic batch with a version check on both, so that two copies of
the service cannot open two. Joining writes to the incident alone: that it is still open is what its version says.
What is held back is said on the alert and, with a version check, on whatever holds it back.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from events import EventLog, Write
from events.group import GroupAssigned
from events.incident import AlertLinked, IncidentFact
from events.timers import Timers
from services.clock import Clock
from services.incidents.calming import calm_timer
from services.incidents.draft import Draft
from services.incidents.grouping import (
    Firing,
    Holder,
    Joined,
    Late,
    Opened,
    PassedOver,
    Placement,
    Ruling,
    Waiting,
    is_late,
    place,
    was_seen,
)
from services.incidents.histories import Group, Histories, Loaded, load_group
from services.incidents.holding import Holding
from services.incidents.judging import Judged, Judging
from services.incidents.looking import Look
from services.incidents.milestones import earlier_detection
from services.incidents.reads import Reads
from services.incidents.saying import said
from services.incidents.standing import Standing
from services.rules.verdict import Hold

# A start that lies years back must not have every incident of a service loaded.
PAST_INCIDENTS_MAX = 20


class Placing:
    """Decides about firings on what the log holds now.

    Args:
        log: the facts.
        histories: loads incidents.
        clock: tells the time.
        timers: tell when what is held back must be looked at again.
        standing: the rules and silences.
    """

    def __init__(self, log: EventLog, histories: Histories, clock: Clock, timers: Timers, standing: Standing) -> None:
        self._log = log
        self._histories = histories
        self._clock = clock
        self._timers = timers
        self._standing = standing
        self._reads = Reads()
        self._judging = Judging(log, standing, self._reads)
        self._holding = Holding(log, standing)

    async def draft(self, looks: Sequence[Look]) -> tuple[tuple[Write, ...], int]:
        """What there is to say about some alerts, nothing about those of which it has been said; and how many of the
        looks that answers, from the first on. The others want another draft."""
        draft = Draft(self._log, self._histories)
        now = max([self._clock.now(), *(look.not_before for look in looks if look.not_before)])
        found = await self._judging.judge(draft, looks, now)
        answered = 0
        if not draft.is_full:
            answered = await self._decide_all(draft, found, now)
        # Before the append: a timer too many is harmless, one too few forgets the alert.
        await self._reads.each(self._timers.set(timer) for timer in draft.timers.values())
        return draft.writes(), answered

    async def _decide_all(self, draft: Draft, found: Sequence[Judged | None], now: datetime) -> int:
        # A firing and what changed it since are one occurrence; who looks most thoroughly looks for all.
        known = sorted((each for each in found if each is not None), key=lambda each: each.look.thoroughness)
        waiting = {(each.firing.alert_key, each.firing.occurrence): each for each in known}
        holders = await self._load(draft, list(waiting.values()))
        for number, each in enumerate(found):
            judged = waiting.pop((each.firing.alert_key, each.firing.occurrence), None) if each else None
            if judged is None:
                continue
            its = [holder for key in judged.groups for holder in holders[key]]
            is_said = await self._decide(draft, judged, its, now)
            if not is_said or draft.is_full:
                return number + is_said
        return len(found)

    async def _load(self, draft: Draft, judged: Sequence[Judged]) -> dict[str, list[Loaded]]:
        """Put into a draft where the alerts of some groups go, and find by group which incidents may have answered
        them already."""
        since: dict[str, int] = {}
        for each in judged:
            for key in each.groups:
                since[key] = min(each.firing.fired_seq, since.get(key, each.firing.fired_seq))
        groups = await self._reads.each(load_group(self._log, key) for key in since)
        draft.groups = {group.key: group for group in groups}
        # The targets first: whatever is added to them after this fails the version check, and whatever was added to
        # the others before shows in what is loaded next.
        assigned = sorted({group.incident_id for group in groups if group.incident_id})
        targets = await self._reads.each(self._histories.root(each) for each in assigned)
        draft.incidents = dict(zip(assigned, targets, strict=True))
        before = await self._reads.each(self._histories.with_roots(group.since(since[group.key])) for group in groups)
        return {group.key: loaded for group, loaded in zip(groups, before, strict=True)}

    async def _decide(self, draft: Draft, judged: Judged, holders: Sequence[Loaded], now: datetime) -> bool:
        """Add what there is to say about a firing. False when that must wait for a draft of its own."""
        firing, look = judged.firing, judged.look
        targets = _targets(draft, judged)
        if was_seen(firing, [*map(_holder, holders), *targets]):
            self._watch_for_calm(draft, judged, targets, now)
            return True
        # What was held back and is over stays as it was said; what was not held back needs no second look.
        if not look.decides or firing.is_settled or (firing.held and firing.is_over):
            return True
        if look.held_only and (firing.held is None or firing.is_over):
            return True
        ruling = await self._judging.ruling(draft, judged, now)
        if ruling.verdict.hold is not None:
            return await self._hold(draft, judged, ruling, ruling.verdict.hold, holders, now)
        group = draft.groups[ruling.verdict.group]
        past = await self._past(group, firing)
        placement = place(
            firing, ruling, [_holder(each) for each in holders], targets, [_holder(each) for each in past], now=now
        )
        return await self._carry_out(draft, judged, ruling, placement, past, now)

    async def _hold(
        self, draft: Draft, judged: Judged, ruling: Ruling, hold: Hold, holders: Sequence[Loaded], now: datetime
    ) -> bool:
        if await self._holding.hold(draft, judged, ruling, hold, now):
            return True
        # The silence has changed since: the verdict is another one.
        return await self._decide(draft, judged, holders, now)

    async def _carry_out(
        self,
        draft: Draft,
        judged: Judged,
        ruling: Ruling,
        placement: Placement | None,
        past: Sequence[Loaded],
        now: datetime,
    ) -> bool:
        firing = judged.firing
        match placement:
            case None:
                pass
            case PassedOver(fact):
                draft.say(judged.stream, judged.version, said(firing, "passed_over", fact, now, about=""))
            case Waiting(group_wait):
                hold = Hold(because="grouping", held_by=ruling.verdict.route, until_at=now + group_wait)
                await self._holding.hold(draft, judged, ruling, hold, now)
            case Joined(incident_id, linked):
                target = next(each for each in draft.incidents.values() if each.incident_id == incident_id)
                draft.say(target.stream, target.version, said(firing, "linked", linked, now, about=incident_id))
                self._watch_for_calm(draft, judged, [_holder(target)], now)
            case Late(incident_id, linked):
                if draft.size:
                    return False
                over = next(each for each in past if each.incident_id == incident_id)
                await self._late_evidence(draft, firing, over, linked, now)
            case Opened():
                await self._open(draft, judged, ruling, placement, now)
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
        events = [said(firing, what, fact, now, about=over.incident_id) for what, fact in facts]
        draft.say(over.stream, over.version, *events)

    async def _open(self, draft: Draft, judged: Judged, ruling: Ruling, opened: Opened, now: datetime) -> None:
        firing, group = judged.firing, draft.groups[ruling.verdict.group]
        incident_id = await draft.new_incident_id()
        assigned = GroupAssigned(
            incident_id=incident_id, service=firing.service or firing.title, rule=opened.declared.rule
        )
        first = said(firing, "declared", opened.declared, now, about=incident_id)
        second = said(firing, "linked", opened.linked, now, about=incident_id)
        third = said(firing, "assigned", assigned, now, about=incident_id)
        had_it = draft.incidents[group.incident_id] if group.incident_id else None
        draft.open(incident_id, (first, second), group, third, over=had_it)
        self._watch_for_calm(draft, judged, [_holder(draft.incidents[incident_id])], now)

    def _watch_for_calm(self, draft: Draft, judged: Judged, holders: Iterable[Holder], now: datetime) -> None:
        """Have the incident looked at when its alerts may have been clear for long enough."""
        after = judged.resolve_after_clear
        if after is None or not judged.firing.is_over:
            return
        for holder in holders:
            if holder.incident.is_open and judged.firing.alert_key in holder.incident.alerts:
                draft.set(calm_timer(holder.incident_id, after, now + after))


def _targets(draft: Draft, judged: Judged) -> list[Holder]:
    """The incidents that an alert may join: that of its group, then those of what its service depends on."""
    found = []
    for number, key in enumerate(judged.groups):
        incident_id = draft.groups[key].incident_id
        if incident_id:
            loaded = draft.incidents[incident_id]
            needed = loaded.incident.service if number else ""
            found.append(Holder(loaded.incident_id, loaded.incident, needed))
    return found


def _holder(loaded: Loaded) -> Holder:
    return Holder(loaded.incident_id, loaded.incident)
