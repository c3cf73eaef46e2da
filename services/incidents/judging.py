"""What the rules say about alerts, on what the log holds now; and what alerts mean for those that they hold back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from events import Event, EventLog, Recorded
from events.fact import tag_of
from events.ids import derived_event_id
from services.incidents.draft import Draft
from services.incidents.grouping import Firing, Ruling, firing_at
from services.incidents.inhibiting import Meetings, claims, fact_of
from services.incidents.looking import Look
from services.incidents.reads import Reads
from services.incidents.recent import RecentAlerts
from services.incidents.saying import ACTOR, SOURCE
from services.incidents.standing import Standing
from services.rules.verdict import Inhibited, Situation, inhibition_keys, verdict


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An occurrence, and where it belongs."""

    look: Look
    firing: Firing
    version: int
    """Of its alert's stream."""
    groups: tuple[str, ...]
    """Its own group, then those of what its service depends on."""
    ruling: Ruling
    """What the rules say about it, before anybody asked who inhibits it."""
    heard: int
    """`Standing.heard` when they were asked."""

    @property
    def resolve_after_clear(self) -> timedelta | None:
        """How long its incident stays open once its alerts are clear; None for as long as people want."""
        return self.ruling.verdict.resolve_after_clear

    @property
    def stream(self) -> str:
        """The stream of its alert."""
        return f"alert.{self.firing.alert_key}"


class Judging:
    """Asks the rules.

    Args:
        log: the facts.
        standing: the rules and silences.
        reads: how many reads at once.
    """

    def __init__(self, log: EventLog, standing: Standing, reads: Reads) -> None:
        self._log = log
        self._standing = standing
        self._reads = reads
        self._meetings = Meetings(log)
        self._recent = RecentAlerts(log)

    async def judge(self, draft: Draft, looks: Sequence[Look], now: datetime) -> list[Judged | None]:
        """The occurrences that are looked at; None for those of which nothing is known.

        First everything is added to the draft that these alerts have to say to those that they hold back: whoever is
        decided next may be one of them.
        """
        await self._standing.refresh()
        rules = self._standing.rules
        calms = any(route.resolve_after_clear for route in rules.route.walk())
        wanted = [look for look in looks if look.decides or rules.inhibit or calms]
        await self._read(draft, wanted)
        if rules.inhibit:
            await self._claim(draft, dict.fromkeys(look.alert_key for look in wanted), now)
        return [self._judged(draft, look, now) if look in wanted else None for look in looks]

    async def ruling(self, draft: Draft, judged: Judged, now: datetime) -> Ruling:
        """What the rules say about an occurrence."""
        if not self._standing.rules.inhibit and judged.heard == self._standing.heard:
            return judged.ruling
        situation = self._situation(judged.firing, now)
        if self._standing.rules.inhibit:
            situation = replace(situation, inhibited_by=await self._inhibited_by(draft, judged.firing))
        return Ruling(verdict(situation), self._standing.rules_seq)

    async def _read(self, draft: Draft, looks: Sequence[Look]) -> None:
        rules = self._standing.rules
        after: dict[str, int] = {}
        for look in looks:
            # A firing begins its occurrence, so nothing before it matters, unless the rules look further back.
            begins = look.begins and not rules.inhibit and rules.flapping is None
            start = look.seq - 1 if begins else 0
            after[look.alert_key] = min(start, after.get(look.alert_key, start))
        draft.alerts = await self._recent.since({key: start for key, start in after.items() if start})
        alone = {key: start for key, start in after.items() if key not in draft.alerts}
        found = await self._reads.each(self._log.read(f"alert.{key}", after=start) for key, start in alone.items())
        draft.alerts |= zip(alone, found, strict=True)

    def _judged(self, draft: Draft, look: Look, now: datetime) -> Judged | None:
        history = draft.alerts[look.alert_key]
        firing = firing_at(look.alert_key, history, look.seq or history[-1].seq) if history else None
        if firing is None:
            return None
        # Late only when both clocks say so: whatever is in doubt is news.
        firing = replace(firing, heard_at=min(firing.heard_at, now))
        found = verdict(self._situation(firing, now))
        return Judged(
            look=look,
            firing=firing,
            version=history[-1].seq,
            groups=(found.group, *(key for key in found.dependency_groups if key != found.group)),
            ruling=Ruling(found, self._standing.rules_seq),
            heard=self._standing.heard,
        )

    def _situation(self, firing: Firing, now: datetime) -> Situation:
        return Situation(
            alert_key=firing.alert_key,
            occurrence=firing.occurrence,
            labels=firing.labels_to_match(),
            severity=firing.severity,
            service=firing.service,
            fired_at=firing.fired_at,
            changes=firing.changes,
            rules=self._standing.rules,
            rules_seq=self._standing.rules_seq,
            silences=self._standing.silences(now),
            snoozed_until=firing.snoozed_until,
            now=now,
        )

    async def _claim(self, draft: Draft, alert_keys: Sequence[str] | dict[str, None], now: datetime) -> None:
        """Say in the meeting places which of these alerts hold others back there, and which no longer do."""
        found = [claim for key in alert_keys for claim in claims(self._standing.rules, key, draft.alerts[key])]
        await self._meet(draft, [claim.key for claim in found])
        for claim in found:
            if draft.is_full:
                return
            meeting = draft.meetings[claim.key]
            fact = fact_of(claim, meeting)
            if fact is None:
                continue
            event = Event(
                id=derived_event_id(claim.alert_key, claim.key, tag_of(type(fact)), str(meeting.version)),
                fact=fact,
                happened_at=now,
                source=SOURCE,
                actor=ACTOR,
                causation_id=draft.alerts[claim.alert_key][-1].event.id,
            )
            draft.say(meeting.stream, meeting.version, event)
            draft.meetings[claim.key] = meeting.after(fact, meeting.version)

    async def _meet(self, draft: Draft, keys: Sequence[str]) -> None:
        missing = [key for key in dict.fromkeys(keys) if key not in draft.meetings]
        loaded = await self._reads.each(self._meetings.load(key) for key in missing)
        draft.meetings |= dict(zip(missing, loaded, strict=True))

    async def _inhibited_by(self, draft: Draft, firing: Firing) -> tuple[Inhibited, ...]:
        keys = [each for each in inhibition_keys(self._standing.rules, firing.labels_to_match()) if not each.is_source]
        await self._meet(draft, [each.key for each in keys])
        found: list[Inhibited] = []
        for each in keys:
            for source, (_occurrence, rule) in draft.meetings[each.key].sources.items():
                # Rules and labels may have changed since it said so: its own stream decides.
                if source != firing.alert_key and rule == each.rule and await self._fires(draft, source, each.key):
                    found.append(Inhibited(rule, source))
        return tuple(found)

    async def _fires(self, draft: Draft, alert_key: str, at_key: str) -> bool:
        if alert_key not in draft.sources:
            history: list[Recorded] = await self._log.read(f"alert.{alert_key}")
            draft.sources[alert_key] = claims(self._standing.rules, alert_key, history)
        return any(claim.fires and claim.key == at_key for claim in draft.sources[alert_key])
