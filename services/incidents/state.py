"""What is so about one incident, folded from its stream.

Four regions, not one status: the *phase*, the *impact* on users as intervals, the *response* (who has it in hand, who
holds which role) and the *determination*. History is not up for debate: `evolve` never refuses.

A correction reaches back to events before it, so a history that holds one is folded as it is believed now
(`services.corrections`), from its beginning.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

import msgspec
from msgspec.structs import replace

from events import Event
from events.cause import CauseIdentified, ChangeLinked, ChangePart, ChangeUnlinked
from events.incident import (
    AlertLinked,
    AlertUnlinked,
    Determination,
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    ImpactEnded,
    ImpactLevelChanged,
    ImpactStarted,
    IncidentAbsorbed,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentDisowned,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentStep,
    IncidentUnmerged,
    MilestoneCorrected,
    Profile,
    Role,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleHandoffOffered,
    RoleRelieved,
    Severity,
    SeverityCorrected,
    TitleChanged,
)
from services.corrections import corrections_of

Phase = Literal["unopened", "triage", "active", "contained", "eradicated", "resolved", "closed", "dismissed", "merged"]
OPEN_PHASES: frozenset[Phase] = frozenset({"triage", "active", "contained", "eradicated"})
"""Somebody still has to do something about the harm."""

RoleFact: TypeAlias = RoleAssigned | RoleHandoffOffered | RoleHandoffAccepted | RoleRelieved
ImpactFact: TypeAlias = ImpactStarted | ImpactLevelChanged | ImpactEnded


PhaseFact: TypeAlias = (
    IncidentOpened
    | IncidentDeclared
    | IncidentContained
    | IncidentEradicated
    | IncidentResolved
    | IncidentRegressed
    | IncidentClosed
    | IncidentReopened
    | IncidentDismissed
    | IncidentReinstated
    | IncidentMerged
    | IncidentUnmerged
)
"""Facts that change the phase."""


class Deed(msgspec.Struct, frozen=True):
    """The last change of phase, in words for a refusal: who did what, and when."""

    actor: str
    did: str
    """With the incident as *it*: ``resolved it``."""
    at: datetime


class OpenImpact(msgspec.Struct, frozen=True):
    """An impact interval that has not ended."""

    level: int
    changed_at: datetime
    """When it began or last changed its level: it cannot end before."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as its history makes it. The dictionaries are never changed in place."""

    phase: Phase = "unopened"
    deed: Deed | None = None
    title: str = ""
    severity: Severity = "sev3"
    profile: Profile = "ops"
    service: str = ""
    group_key: str = ""
    """The group of alerts that it was opened for, where that is not its service's."""
    determination: Determination = "suspected"
    episode: int = 0

    detected_at: datetime | None = None
    began_at: datetime | None = None
    """When this episode began: the detection, or the reopening of a relapse. It cannot be resolved before."""
    declared_at: datetime | None = None
    contained_at: datetime | None = None
    """Of this episode, and void once it regressed; the same holds for `eradicated_at`."""
    eradicated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None

    impact: dict[str, OpenImpact] = {}
    """Open intervals by scope."""
    impact_started_at: datetime | None = None
    """The earliest of all."""

    acknowledged: dict[str, datetime] = {}
    """Who has it in hand, and since when, in this episode."""
    roles: dict[Role, tuple[str, ...]] = {}
    offers: dict[tuple[Role, str], str] = {}
    """Who offers a role, by the role and the person it is offered to."""

    alerts: dict[str, int] = {}
    """The occurrence of each alert that belongs to it."""
    alerts_seen: frozenset[tuple[str, int]] = frozenset()
    """Every alert key and occurrence that ever belonged to it, also when it was taken out."""

    is_cause_identified: bool = False
    changes: frozenset[tuple[str, ChangePart]] = frozenset()
    """Keys of the changes that caused it or were made to end it, each with its part."""

    merged_into: str = ""
    phase_before_merge: Phase = "unopened"
    merges: tuple[str, ...] = ()
    """Every incident that it was ever merged into, undone or not."""
    absorbed: frozenset[str] = frozenset()

    retracted: frozenset[str] = frozenset()
    """Ids of the events that were taken back, also those of its pages, alerts and review."""

    answered: frozenset[str] = frozenset()
    """Ids of the orders and events that were answered here: what is delivered again is not done again."""

    @property
    def is_open(self) -> bool:
        """Whether its phase is one of `OPEN_PHASES`."""
        return self.phase in OPEN_PHASES

    @property
    def commander(self) -> str:
        """Person id of the commander, empty when there is none."""
        return next(iter(self.roles.get("commander", ())), "")


UNOPENED = Incident()
"""The state of a stream without events."""


def fold(events: Iterable[Event], start: Incident = UNOPENED) -> Incident:
    """The state after some events, as they are believed by the end of them.

    Args:
        events: what happened. Corrections among them reach the others, not what led to ``start``.
        start: the state before.
    """
    told = tuple(events)
    corrections = corrections_of(told)
    incident = start
    joined: list[Event] = []
    for event in told:
        believed = corrections.believed(event)
        if believed is not None and isinstance(believed.fact, AlertLinked):
            joined.append(believed)
            continue
        incident, joined = _joined(incident, joined), []
        incident = evolve(incident, believed) if believed else _unsaid(incident, event)
    return _joined(incident, joined)


def evolve(incident: Incident, event: Event) -> Incident:
    """The state after one more event. A note changes nothing but `answered`, and the title when it is a new one."""
    if event.causation_id:
        incident = replace(incident, answered=incident.answered | {event.causation_id})
    if isinstance(event.fact, IncidentStep):
        return _step(incident, event.fact, event)
    if isinstance(event.fact, TitleChanged):
        return replace(incident, title=event.fact.title)
    return incident


def _joined(incident: Incident, events: Sequence[Event]) -> Incident:
    """The state after alerts joined one after the other: what `evolve` makes of them, in one step, because each step
    copies all alerts that joined before, and a storm brings thousands."""
    if not events:
        return incident
    alerts = dict(incident.alerts)
    seen: set[tuple[str, int]] = set()
    for event in events:
        if isinstance(event.fact, AlertLinked):
            alerts[event.fact.alert_key] = event.fact.occurrence
            seen.add((event.fact.alert_key, event.fact.occurrence))
    answered = {event.causation_id for event in events if event.causation_id}
    return replace(
        incident, alerts=alerts, alerts_seen=incident.alerts_seen | seen, answered=incident.answered | answered
    )


def _unsaid(incident: Incident, event: Event) -> Incident:
    """What an event leaves that was taken back: what it answered must not be done again."""
    answered = incident.answered | {event.causation_id} if event.causation_id else incident.answered
    seen = incident.alerts_seen
    if isinstance(event.fact, AlertLinked):
        seen |= {(event.fact.alert_key, event.fact.occurrence)}
    return replace(incident, answered=answered, alerts_seen=seen)


def _step(incident: Incident, fact: IncidentStep, event: Event) -> Incident:
    at = event.happened_at
    actor = event.actor or event.source
    match fact:
        case IncidentOpened():
            return replace(_described(incident, fact, at), phase="triage", deed=Deed(actor, "opened it", at))
        case IncidentDeclared(detected_at=detected_at):
            described = _described(incident, fact, detected_at or at)
            return replace(described, phase="active", declared_at=at, deed=Deed(actor, "declared it", at))
        case IncidentAcknowledged():
            return replace(incident, acknowledged={actor: at, **incident.acknowledged})
        case IncidentSeverityChanged(severity=severity):
            return replace(incident, severity=severity)
        case IncidentContained():
            return replace(incident, phase="contained", contained_at=at, deed=Deed(actor, "contained it", at))
        case IncidentEradicated():
            return replace(incident, phase="eradicated", eradicated_at=at, deed=Deed(actor, "eradicated it", at))
        case IncidentResolved():
            return replace(incident, phase="resolved", resolved_at=at, deed=Deed(actor, "resolved it", at))
        case IncidentRegressed():
            return replace(_undone(incident), phase="active", deed=Deed(actor, "said that it regressed", at))
        case IncidentClosed():
            return replace(incident, phase="closed", closed_at=at, deed=Deed(actor, "closed it", at))
        case IncidentReopened(kind=kind, episode=episode):
            began_at = at if kind == "relapse" else incident.began_at
            reopened = replace(_undone(incident), acknowledged={}, episode=episode, began_at=began_at)
            return replace(reopened, phase="active", deed=Deed(actor, "reopened it", at))
        case IncidentDismissed(reason=reason):
            return replace(incident, phase="dismissed", deed=Deed(actor, f"dismissed it as {reason}", at))
        case IncidentReinstated():
            return replace(incident, phase="triage", acknowledged={}, deed=Deed(actor, "reinstated it", at))
        case IncidentMerged(into_incident_id=root):
            merged = replace(incident, phase_before_merge=incident.phase, merged_into=root)
            merged = replace(merged, merges=(*incident.merges, root))
            return replace(merged, phase="merged", deed=Deed(actor, f"merged it into {root}", at))
        case IncidentUnmerged(from_incident_id=root):
            apart = replace(incident, phase=incident.phase_before_merge, merged_into="")
            return replace(apart, phase_before_merge="unopened", deed=Deed(actor, f"separated it from {root}", at))
        case IncidentAbsorbed(from_incident_id=member):
            return replace(incident, absorbed=incident.absorbed | {member})
        case IncidentDisowned(from_incident_id=member):
            return replace(incident, absorbed=incident.absorbed - {member})
        case ImpactStarted() | ImpactLevelChanged() | ImpactEnded():
            return _impact(incident, fact, at)
        case DeterminationSet(determination=determination):
            return replace(incident, determination=determination)
        case RoleAssigned() | RoleHandoffOffered() | RoleHandoffAccepted() | RoleRelieved():
            return _role(incident, fact, actor)
        case AlertLinked(alert_key=key, occurrence=occurrence):
            seen = incident.alerts_seen | {(key, occurrence)}
            return replace(incident, alerts={**incident.alerts, key: occurrence}, alerts_seen=seen)
        case AlertUnlinked(alert_key=key):
            return replace(incident, alerts={other: n for other, n in incident.alerts.items() if other != key})
        case CauseIdentified():
            return replace(incident, is_cause_identified=True)
        case ChangeLinked(change_key=key, part=part):
            return replace(incident, changes=incident.changes | {(key, part)})
        case ChangeUnlinked(change_key=key, part=part):
            return replace(incident, changes=incident.changes - {(key, part)})
        case MilestoneCorrected(replaces_event_id=""):
            return _reached(incident, fact)
        case EventRetracted(event_id=event_id):
            return replace(incident, retracted=incident.retracted | {event_id})
        case MilestoneCorrected() | SeverityCorrected() | DeterminationCorrected():
            return incident  # the fold has changed what they correct
        case _:
            assert_never(fact)


def _described(incident: Incident, fact: IncidentOpened | IncidentDeclared, detected_at: datetime) -> Incident:
    earliest = min(detected_at, incident.detected_at or detected_at)
    return replace(
        incident,
        title=fact.title,
        severity=fact.severity,
        profile=fact.profile,
        service=fact.service,
        group_key=fact.group_key if isinstance(fact, IncidentDeclared) and fact.group_key else incident.group_key,
        episode=max(incident.episode, 1),
        detected_at=earliest,
        began_at=earliest if incident.episode <= 1 else incident.began_at,
    )


def _reached(incident: Incident, fact: MilestoneCorrected) -> Incident:
    """A milestone that no event had said."""
    at = fact.occurred_at
    match fact.milestone:
        case "contained":
            return replace(incident, contained_at=at)
        case "eradicated":
            return replace(incident, eradicated_at=at)
        case "impact_started":
            return replace(incident, impact_started_at=min(at, incident.impact_started_at or at))
        case _:
            return incident


def _undone(incident: Incident) -> Incident:
    return replace(incident, contained_at=None, eradicated_at=None)


def _impact(incident: Incident, fact: ImpactFact, at: datetime) -> Incident:
    others = {scope: interval for scope, interval in incident.impact.items() if scope != fact.scope}
    match fact:
        case ImpactStarted(scope=scope, level=level):
            earliest = min(at, incident.impact_started_at or at)
            return replace(incident, impact={**others, scope: OpenImpact(level, at)}, impact_started_at=earliest)
        case ImpactLevelChanged(scope=scope, level=level):
            return replace(incident, impact={**others, scope: OpenImpact(level, at)})
        case ImpactEnded():
            return replace(incident, impact=others)
        case _:
            assert_never(fact)


def _role(incident: Incident, fact: RoleFact, actor: str) -> Incident:
    match fact:
        case RoleAssigned(role=role, person_id=person):
            return _holding(incident, role, leaves="", joins=person)
        case RoleHandoffOffered(role=role) if actor not in incident.roles.get(role, ()):
            return incident  # void: that its maker held the role was taken back
        case RoleHandoffOffered(role=role, person_id=person):
            without = _without_offers_of(incident, role, actor)
            return replace(without, offers={**without.offers, (role, person): actor})
        case RoleHandoffAccepted(role=role, person_id=person, previous_person_id=previous):
            return _holding(_without_offers_of(incident, role, previous), role, leaves=previous, joins=person)
        case RoleRelieved(role=role, person_id=person):
            return _holding(_without_offers_of(incident, role, person), role, leaves=person, joins="")
        case _:
            assert_never(fact)


def _holding(incident: Incident, role: Role, *, leaves: str, joins: str) -> Incident:
    stays = tuple(person for person in incident.roles.get(role, ()) if person not in (leaves, joins))
    return replace(incident, roles={**incident.roles, role: (*stays, joins) if joins else stays})


def _without_offers_of(incident: Incident, role: Role, holder: str) -> Incident:
    offers = {(its_role, to): by for (its_role, to), by in incident.offers.items() if (its_role, by) != (role, holder)}
    return replace(incident, offers=offers)
