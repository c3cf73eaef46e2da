"""Decisions about firings, made again by the rules of their moment, so that every rule that was looked at can be shown.

The verdict is a pure function (`services.rules.verdict`), and what it needs lies in the log before the decision: the
rule set that the fact names, the alert's own facts, the silences and the inhibiting alerts of that moment. That the
same answer comes out is shown, and so is when it does not.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from events import RecountError
from events.alert import (
    ALERT_SEVERITIES,
    AlertCleared,
    AlertFired,
    AlertHeld,
    AlertPassedOver,
    AlertSeverity,
    AlertSnoozed,
    AlertUpdated,
)
from events.incident import AlertLinked, IncidentDeclared
from events.inhibition import InhibitionSourceCleared, InhibitionSourceFired
from events.rules import RulesPublished
from events.silence import SilenceHeldAlert
from events.subjects import split
from projections.slice import listed
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.rules.silences import Silence, silence_after
from services.rules.verdict import (
    Inhibited,
    Situation,
    Verdict,
    inhibition_keys,
    labels_to_match,
    verdict,
)
from services.web.why_chain import alert_keys, last_firing
from services.web.why_reading import Walk
from services.web.why_told import Decision, Material, Read, RuleStep

# Decisions that are made again for one answer: the last ones, each of which takes a scan or two of the log.
DECISIONS_MAX = 4
# Alerts of which they are told; those of a storm were all decided alike.
ALERTS_MAX = 2
# Silences at a moment. More than a hundred that last at once would be a list that nobody looks through.
SILENCES_MAX = 100


async def decisions_of(walk: Walk, material: Material, built_in: RuleSet) -> tuple[Decision, ...]:
    """The last decisions about the alerts that were read, each made again.

    Args:
        walk: reads more of the log, through the same lens.
        material: what was read.
        built_in: the rules that today's settings stand for; the log does not keep former settings.
    """
    found: list[Decision] = []
    for key in alert_keys(material)[:ALERTS_MAX]:
        firing = last_firing(material, key)
        if firing is not None:
            for said in _decided(material, key, firing)[-DECISIONS_MAX:]:
                found.append(await _again(walk, material, key, firing, said, built_in))
    return tuple(found[-DECISIONS_MAX:])


def _decided(material: Material, key: str, firing: Read) -> list[Read]:
    """The facts that say what rules decided about an occurrence, in log order."""
    occurrence = firing.fact.occurrence
    own = [
        read
        for read in material.of(AlertHeld, AlertPassedOver)
        if read.recorded.stream == f"alert.{key}" and read.fact.occurrence == occurrence
    ]
    # What a person put into an incident was decided by no rule.
    placed = [
        read
        for read in material.of(AlertLinked)
        if read.fact.alert_key == key and read.fact.occurrence == occurrence and read.fact.rule
    ]
    return sorted((*own, *placed), key=lambda read: read.seq)


async def _again(walk: Walk, material: Material, key: str, firing: Read, said: Read, built_in: RuleSet) -> Decision:
    recorded = _recorded(material, said)
    rules_seq = int(said.fact.rules_seq)
    decision = Decision(
        alert_key=key,
        title=firing.fact.title,
        occurrence=firing.fact.occurrence,
        seq=said.seq,
        rules_seq=rules_seq,
        recorded=recorded,
        computed="",
        agrees=False,
    )
    try:
        rules = await _rules_at(walk, rules_seq) if rules_seq else built_in
        if rules is None:
            return msgspec.structs.replace(decision, computed="nothing", note="That rule set cannot be read here.")
        made = verdict(await _situation(walk, key, firing, said, rules))
    except RecountError as error:
        return msgspec.structs.replace(decision, computed="nothing", note=f"It cannot be made again: {error}")
    note = (
        ""
        if rules_seq
        else "The built-in rules are those of today's [grouping] settings; the log keeps no former ones."
    )
    return msgspec.structs.replace(
        decision,
        computed=_computed(made),
        agrees=_agrees(said, made),
        note=note,
        steps=tuple(RuleStep(step.what, step.outcome, step.detail) for step in made.steps),
    )


async def _rules_at(walk: Walk, rules_seq: int) -> RuleSet | None:
    (published,) = await walk.read(f"category = 'rules' and seq = {rules_seq:d}") or (None,)
    if published is None or not isinstance(published.fact, RulesPublished):
        return None
    return parse_rules(published.fact.text, f"rules #{rules_seq}")


async def _situation(walk: Walk, key: str, firing: Read, said: Read, rules: RuleSet) -> Situation:
    """What was so when it was decided: everything in the log before the event that says what was."""
    fired: AlertFired = firing.fact
    labels = labels_to_match(
        fired.labels,
        service=fired.service,
        severity=fired.severity,
        sender=fired.sender,
        integration=fired.integration,
        title=fired.title,
    )
    before = await walk.read(f"category = 'alert' and stream_id = {listed([key])} and seq < {said.seq:d}")
    now = said.recorded.happened_at
    return Situation(
        alert_key=key,
        occurrence=fired.occurrence,
        labels=labels,
        severity=_severity(before, firing),
        service=fired.service,
        fired_at=firing.recorded.happened_at,
        changes=tuple(read.recorded.happened_at for read in before if isinstance(read.fact, AlertFired | AlertCleared)),
        rules=rules,
        rules_seq=said.fact.rules_seq,
        silences=await _silences(walk, said.seq, now),
        inhibited_by=await _inhibited(walk, rules, labels, key, said.seq),
        snoozed_until=_snoozed(before, firing.seq),
        now=now,
    )


async def _silences(walk: Walk, before_seq: int, now: datetime) -> tuple[Silence, ...]:
    told = await walk.read(f"category = 'silence' and type <> 'silence.alert_held' and seq < {before_seq:d}")
    silences: dict[str, Silence | None] = {}
    for read in told:
        if not isinstance(read.fact, SilenceHeldAlert):
            identifier = split(read.recorded.stream)[1]
            silences[identifier] = silence_after(
                silences.get(identifier), identifier, read.fact, read.recorded.happened_at
            )
    lasting = [silence for silence in silences.values() if silence is not None and silence.state_at(now) != "ended"]
    return tuple(lasting[-SILENCES_MAX:])


async def _inhibited(
    walk: Walk, rules: RuleSet, labels: Mapping[str, str], alert_key: str, before_seq: int
) -> tuple[Inhibited, ...]:
    keys = {key.key: key.rule for key in inhibition_keys(rules, labels) if not key.is_source}
    if not keys:
        return ()
    told = await walk.read(f"category = 'inhibition' and stream_id in ({listed(keys)}) and seq < {before_seq:d}")
    firing: dict[tuple[str, str], str] = {}
    for read in told:
        key = split(read.recorded.stream)[1]
        match read.fact:
            case InhibitionSourceFired(alert_key=source):
                firing[key, source] = keys[key]
            case InhibitionSourceCleared(alert_key=source):
                firing.pop((key, source), None)
    return tuple(Inhibited(rule, source) for (_key, source), rule in firing.items() if source != alert_key)


def _severity(before: Sequence[Read], firing: Read) -> AlertSeverity:
    said: list[AlertSeverity] = [firing.fact.severity]
    said += [read.fact.severity for read in before if read.seq > firing.seq and isinstance(read.fact, AlertUpdated)]
    return min(said, key=ALERT_SEVERITIES.index)


def _snoozed(before: Sequence[Read], fired_seq: int) -> datetime | None:
    snoozes: list[datetime] = [
        read.fact.until_at for read in before if read.seq > fired_seq and isinstance(read.fact, AlertSnoozed)
    ]
    return snoozes[-1] if snoozes else None


def _recorded(material: Material, said: Read) -> str:
    match said.fact:
        case AlertHeld(because=because, held_by=held_by):
            return f"held back, {because}{f' by {held_by}' if held_by else ''}"
        case AlertPassedOver(reason=reason):
            return f"only recorded: {reason}"
    incident_id = split(said.recorded.stream)[1]
    cause = said.recorded.event.causation_id
    opened = any(
        read.recorded.stream == said.recorded.stream and read.recorded.event.causation_id == cause
        for read in material.of(IncidentDeclared)
    )
    return f"{'opened' if opened else 'joined'} {incident_id}"


def _computed(made: Verdict) -> str:
    match made.action:
        case "hold":
            return f"hold it back: {made.reason}"
        case "record":
            return f"only record it: {made.reason}"
    verb = "open or join an incident" if made.route_action == "open" else "join an incident that is open"
    return f"{verb}: {made.reason}"


def _agrees(said: Read, made: Verdict) -> bool:
    match said.fact:
        case AlertHeld(because="grouping"):
            return made.action == "place"  # a group waits, which the verdict says by its group_wait
        case AlertHeld(because=because, held_by=held_by):
            hold = made.hold
            return hold is not None and (hold.because, hold.held_by) == (because, held_by)
        case AlertPassedOver():
            # A route that only joins records what finds no open incident.
            return made.action == "record" or (made.action == "place" and made.route_action == "join")
    return made.action == "place"
