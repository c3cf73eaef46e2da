"""What did not happen though somebody may have expected it, and which rule decided that.

Pure: the same events give the same answer.
"""

from collections.abc import Sequence

from events.alert import AlertHeld, AlertPassedOver
from events.audit import DeadLetterRecorded
from events.escalation import EscalationExhausted, EscalationStarted, EscalationStopped, LevelReached
from events.incident import (
    AlertLinked,
    IncidentAcknowledged,
    IncidentDeclared,
    IncidentDismissed,
    IncidentMerged,
    IncidentOpened,
    IncidentResolved,
    Severity,
)
from events.ledger import ReceiptsRepeated
from events.page import PageAttempted, PageFailed, PageRequested, PageSent, PageWithheld
from events.silence import SilenceHeldAlert
from events.subjects import split
from services.attention import at_least_as_severe
from services.web.why_chain import alert_keys, cleared_after, clock, incident_ids, is_of, last_firing, rule_of
from services.web.why_told import Absent, Material, Read

# What is told of alerts beside the first few has no news in it.
NAMED_MAX = 5


def absent_of(material: Material, threshold: Severity) -> tuple[Absent, ...]:
    """What did not happen, and what decided that.

    Args:
        material: what was read.
        threshold: incidents at least this severe are paged for, by the settings of today.
    """
    found: list[Absent] = []
    kind = material.subject.kind
    if kind in ("alert", "event", "receipt", "silence"):
        for key in alert_keys(material)[:NAMED_MAX]:
            found += _of_alert(material, key)
    if kind == "silence":
        found += _of_silence(material)
    if kind == "receipt":
        found += _of_receipt(material)
    incidents = incident_ids(material)
    for incident_id in incidents[-NAMED_MAX:]:
        found += _of_incident(material, incident_id, threshold)
    found += _of_pages(material)
    if kind == "event":
        # Only a part of each stream was read: that something is not among it says nothing, what an event says does.
        found = [each for each in found if each.seq]
    return tuple(found)


def _of_alert(material: Material, key: str) -> list[Absent]:
    firing = last_firing(material, key)
    if firing is None:
        return []
    occurrence = firing.fact.occurrence
    stream = f"alert.{key}"
    linked = [read for read in material.of(AlertLinked) if is_of(read, key, occurrence)]
    held = [
        read for read in material.of(AlertHeld) if read.recorded.stream == stream and read.fact.occurrence == occurrence
    ]
    passed = [
        read
        for read in material.of(AlertPassedOver)
        if read.recorded.stream == stream and read.fact.occurrence == occurrence
    ]
    name = firing.fact.title
    if linked:
        incident_id = split(linked[-1].recorded.stream)[1]
        opened = any(
            read.recorded.stream == linked[-1].recorded.stream
            and read.recorded.event.causation_id == linked[-1].recorded.event.causation_id
            for read in material.of(IncidentDeclared)
        )
        if opened:
            return []
        return [
            Absent(
                what=f"{name} opened no incident of its own",
                because=f"it joined {incident_id}: {linked[-1].fact.reason or 'somebody put it there'}",
                rule=rule_of(linked[-1]),
                seq=linked[-1].seq,
            )
        ]
    nothing = f"No incident was opened or joined by {name}"
    if passed:
        last = passed[-1]
        return [Absent(what=nothing, because=last.fact.reason, rule=rule_of(last), seq=last.seq)]
    cleared = cleared_after(material, stream, firing.seq)
    if held:
        fact = held[-1].fact
        until = f" at {clock(fact.until_at)} at the latest" if fact.until_at else ""
        by = f" by {fact.held_by}" if fact.held_by else ""
        ending = ", and it cleared meanwhile" if cleared else f"; it is looked at again{until}"
        return [
            Absent(
                what=nothing,
                because=f"it is held back ({fact.because}{by}){ending}",
                rule=rule_of(held[-1]),
                seq=held[-1].seq,
            )
        ]
    if cleared:
        return [Absent(what=nothing, because="it cleared before anything was decided about it", seq=cleared.seq)]
    return [
        Absent(
            what=nothing,
            because="nothing was decided about it yet; the incidents service may be behind (`recount doctor` tells)",
        )
    ]


def _of_incident(material: Material, incident_id: str, threshold: Severity) -> list[Absent]:
    own = [
        read
        for read in material.of(
            IncidentOpened, IncidentDeclared, IncidentAcknowledged, IncidentResolved, IncidentDismissed, IncidentMerged
        )
        if read.recorded.stream == f"incident.{incident_id}"
    ]
    climbed = [
        read
        for read in material.of(EscalationStarted, LevelReached, EscalationStopped, EscalationExhausted)
        if read.recorded.stream == f"escalation.{incident_id}"
    ]
    declared = next((read for read in own if isinstance(read.fact, IncidentDeclared)), None)
    if climbed:
        return _of_escalation(incident_id, climbed)
    if not own:
        return []
    what = f"Nobody was paged for {incident_id}"
    if any(read.recorded.event.known_at for read in own):
        return [Absent(what=what, because="it was imported, and whoever it concerned heard of it elsewhere")]
    if declared is None:
        return [Absent(what=what, because="it was opened for triage and has no severity that pages", seq=own[0].seq)]
    if not at_least_as_severe(declared.fact.severity, threshold):
        because = f"it is {declared.fact.severity}, and paging begins at {threshold}"
        return [Absent(what=what, because=because, rule="the setting [paging] severity", seq=declared.seq)]
    over = next((read for read in own if not isinstance(read.fact, IncidentOpened | IncidentDeclared)), None)
    if over is not None:
        said = str(type(over.fact).__struct_config__.tag).partition(".")[2]
        return [Absent(what=what, because=f"it was {said} before anybody was asked", seq=over.seq)]
    return [Absent(what=what, because="no escalation has begun; the on-call service may be behind")]


def _of_escalation(incident_id: str, climbed: Sequence[Read]) -> list[Absent]:
    found: list[Absent] = []
    for read in climbed:
        fact = read.fact
        if isinstance(fact, EscalationExhausted):
            because = fact.because.removeprefix("nobody is paged: ")
            who = "Nobody else was asked about" if because == fact.because else "Nobody was paged for"
            found.append(Absent(what=f"{who} {incident_id}", because=because, seq=read.seq))
        if isinstance(fact, EscalationStopped):
            asked = [
                other.fact for other in climbed if isinstance(other.fact, LevelReached) and other.fact.run == fact.run
            ]
            began = next(
                (
                    other.fact
                    for other in climbed
                    if isinstance(other.fact, EscalationStarted) and other.fact.run == fact.run
                ),
                None,
            )
            if began is not None and asked and asked[-1].level < len(began.levels):
                found.append(
                    Absent(
                        what=f"Level {asked[-1].level + 1} of {began.policy_id} was not asked about {incident_id}",
                        because=f"it was {fact.reason} before",
                        rule=f"policy {began.policy_id}",
                        seq=read.seq,
                    )
                )
    return found


def _of_pages(material: Material) -> list[Absent]:
    found: list[Absent] = []
    asked = {read.recorded.stream: read.fact.person_id for read in material.of(PageRequested)}
    for read in material.of(PageWithheld):
        person_id = read.fact.person_id or asked.get(read.recorded.stream, "")
        if not person_id and read.fact.target.startswith("policy."):
            continue  # the escalation says the same
        whom = person_id or f"Whoever is behind {read.fact.target}"
        found.append(
            Absent(what=f"{whom} was not paged", because=read.fact.reason, rule=read.fact.target, seq=read.seq)
        )
    streams = {read.recorded.stream for read in material.of(PageRequested)}
    for stream in sorted(streams):
        told = [
            read
            for read in material.of(PageAttempted, PageSent, PageFailed, PageWithheld)
            if read.recorded.stream == stream
        ]
        page_id = split(stream)[1]
        if not told:
            found.append(
                Absent(what=f"{page_id} was not sent", because="no attempt is recorded; the notifier may be behind")
            )
        elif not any(isinstance(read.fact, PageSent | PageWithheld) for read in told):
            failed = [read for read in told if isinstance(read.fact, PageFailed)]
            because = (
                f"{failed[-1].fact.channel}: {failed[-1].fact.error}" if failed else "its channel has not answered"
            )
            found.append(Absent(what=f"{page_id} was not sent", because=because, seq=(failed or told)[-1].seq))
    return found


def _of_silence(material: Material) -> list[Absent]:
    held = material.of(SilenceHeldAlert)
    if held:
        return []
    return [
        Absent(
            what="It held no alert back",
            because="no alert that fired while it lasted and was not in an incident yet fitted all its matchers",
            rule=f"silence {material.subject.id}",
        )
    ]


def _of_receipt(material: Material) -> list[Absent]:
    for read in material.of(DeadLetterRecorded):
        return [Absent(what="It became no fact", because=read.fact.error, rule="its adapter", seq=read.seq)]
    for read in material.of(ReceiptsRepeated):
        return [
            Absent(
                what="It became no fact",
                because="it repeated what was known already and changed nothing",
                rule="deduplication",
                seq=read.seq,
            )
        ]
    if not material.events:
        because = "no event names it: it was not received, is not translated yet, or repeated what was known"
        return [Absent(what="Nothing follows from it", because=because)]
    return []
