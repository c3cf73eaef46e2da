"""What must be told so that an incident is what a snapshot says: the facts between two states. Pure.

Told first are the corrections of what was told before, then what is new in order of its own time. The facts that open
an incident come first of all, whatever happened earlier.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import UNSET, UnsetType

from events.incident import (
    DeterminationCorrected,
    DeterminationSet,
    ImpactEnded,
    ImpactLevelChanged,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentMerged,
    IncidentUnmerged,
    MilestoneCorrected,
    Noted,
    RoleAssigned,
    RoleRelieved,
    TitleChanged,
)
from services.history.belief import Belief
from services.history.commands import Impact, Snapshot
from services.history.lifecycle import Lifecycle, is_open, lifecycle
from services.history.severity import severity_changes
from services.history.strands import About, Change, Telling, change

ActorOf = Callable[[str], str]
"""The person id, or the pseudonym, of somebody whom the other system names."""


def compare(
    belief: Belief, snapshot: Snapshot, about: About, actor_of: ActorOf, merged_into: str | UnsetType = UNSET
) -> tuple[Telling, ...]:
    """The facts that bring an incident to a snapshot, in the order in which to tell them.

    Args:
        belief: what was told so far.
        snapshot: what should hold.
        about: what its tellings share.
        actor_of: who somebody is.
        merged_into: the incident of ours that it is merged into, empty for none; UNSET when nothing is said of it.

    Raises:
        BadSnapshot: it is the first one and does not say enough.
    """
    phases = lifecycle(belief, snapshot, about, actor_of)
    changes = [
        *_impact(belief, snapshot, about),
        phases.change,
        severity_changes(belief, phases.severities, about, kept_phases=phases.kept, told_anew=phases.describes_anew),
        *_acknowledgements(belief, snapshot, about, actor_of),
        *_roles(belief, snapshot, about, actor_of),
        _notified(belief, snapshot, about),
        _notes(belief, snapshot, about, actor_of),
        _determination(belief, snapshot, about, phases),
        _title(belief, snapshot, about, phases),
        _merge(belief, snapshot, about, merged_into),
    ]
    first = phases.change.tellings[0] if phases.change.tellings and not phases.change.kept else None
    tellings = [telling for one in changes for telling in one.tellings]
    tellings.sort(key=lambda telling: (telling is not first, telling.at))
    return (*(correction for one in changes for correction in one.corrections), *tellings)


def _impact(belief: Belief, snapshot: Snapshot, about: About) -> list[Change]:
    if snapshot.impact is UNSET:
        return []
    told = belief.of(ImpactStarted, ImpactLevelChanged, ImpactEnded)
    wanted: dict[str, list[Telling]] = {one.fact.scope: [] for one in told}  # type: ignore[attr-defined]
    for stretch in snapshot.impact:
        wanted.setdefault(stretch.scope, []).extend(_stretch(stretch))
    return [
        change([one for one in told if one.fact.scope == scope], tellings, about)  # type: ignore[attr-defined]
        for scope, tellings in wanted.items()
    ]


def _stretch(stretch: Impact) -> list[Telling]:
    scope = stretch.scope
    tellings = [
        Telling(fact=ImpactStarted(scope=scope, level=stretch.level), at=stretch.start, milestone="impact_started")
    ]
    tellings += [
        Telling(fact=ImpactLevelChanged(scope=scope, level=later.level), at=later.at) for later in stretch.changes
    ]
    if stretch.end is not None:
        tellings.append(Telling(fact=ImpactEnded(scope=scope), at=stretch.end, milestone="mitigated"))
    return tellings


def _acknowledgements(belief: Belief, snapshot: Snapshot, about: About, actor_of: ActorOf) -> list[Change]:
    if snapshot.acknowledgements is UNSET:
        return []
    told = belief.of(IncidentAcknowledged)
    wanted: dict[str, list[Telling]] = {one.actor: [] for one in told}
    for one in sorted(snapshot.acknowledgements, key=lambda one: one.at):
        fact = IncidentAcknowledged(automatic=one.automatic)
        telling = Telling(fact=fact, at=one.at, by=actor_of(one.by), milestone="acknowledged")
        wanted.setdefault(telling.by, []).append(telling)
    return [change([one for one in told if one.actor == actor], tellings, about) for actor, tellings in wanted.items()]


def _roles(belief: Belief, snapshot: Snapshot, about: About, actor_of: ActorOf) -> list[Change]:
    if snapshot.roles is UNSET:
        return []
    wanted: dict[str, list[Telling]] = {}
    told = belief.of(RoleAssigned, RoleRelieved)
    for one in told:
        wanted.setdefault(one.fact.role, [])  # type: ignore[attr-defined]
    for held in snapshot.roles:
        tellings = wanted.setdefault(held.role, [])
        person = actor_of(held.person)
        tellings.append(Telling(fact=RoleAssigned(role=held.role, person_id=person), at=held.start))
        if held.end is not None:
            tellings.append(Telling(fact=RoleRelieved(role=held.role, person_id=person), at=held.end))
    return [
        change(
            [one for one in told if one.fact.role == role],  # type: ignore[attr-defined]
            sorted(tellings, key=lambda telling: telling.at),
            about,
        )
        for role, tellings in wanted.items()
    ]


def _notified(belief: Belief, snapshot: Snapshot, about: About) -> Change:
    """The first page that the other system sent. Nothing of ours was sent, so the milestone is asserted by itself."""
    if snapshot.milestones is UNSET:
        return _NOTHING
    told = [one for one in belief.of(MilestoneCorrected) if one.fact.milestone == "notified"]  # type: ignore[attr-defined]
    reached = [one for one in snapshot.milestones if one.milestone == "notified"][:1]
    wanted = [
        MilestoneCorrected(
            milestone="notified",
            occurred_at=one.at,
            occurred_earliest_at=one.earliest,
            occurred_latest_at=one.latest,
            reason=f"sent by {about.system}",
        )
        for one in reached
    ]
    if [one.fact for one in told] == wanted:
        return _NOTHING
    return Change(0, tuple(about.retract(one) for one in told), tuple(about.now(fact) for fact in wanted))


def _notes(belief: Belief, snapshot: Snapshot, about: About, actor_of: ActorOf) -> Change:
    """Notes are compared by time and text, whoever wrote them: a name may find its person later."""
    if snapshot.updates is UNSET:
        return _NOTHING
    surplus = list(belief.of(Noted))
    missing: list[Telling] = []
    for update in snapshot.updates:
        fact = Noted(text=update.text)
        same = next((told for told in surplus if told.at == update.at and told.fact == fact), None)
        if same is not None:
            surplus.remove(same)
        else:
            missing.append(Telling(fact=fact, at=update.at, by=actor_of(update.author)))
    told_again = {telling.at for telling in missing}
    retracted = [
        about.retract(told, reason=f"{'edited' if told.at in told_again else 'deleted'} in {about.system}")
        for told in surplus
    ]
    return Change(0, tuple(retracted), tuple(missing))


def _determination(belief: Belief, snapshot: Snapshot, about: About, phases: Lifecycle) -> Change:
    if snapshot.determination is UNSET:
        return _NOTHING
    at: datetime | None = snapshot.determined_at or None
    wanted = snapshot.determination
    told = belief.of(DeterminationSet)
    if not told:
        if wanted == "suspected" and at is None:
            return _NOTHING
        return _tell(about.sometime(DeterminationSet(determination=wanted), at))
    last = told[-1]
    assert isinstance(last.fact, DeterminationSet)
    is_same = last.fact.determination == wanted
    if is_same and at in (None, last.at):
        return _NOTHING
    if is_same:
        return Change(0, (about.retract(last),), (about.sometime(last.fact, at),))
    if (at is None and is_open(phases)) or (at is not None and at > last.at):
        return _tell(about.sometime(DeterminationSet(determination=wanted), at))
    return _tell(
        about.now(
            DeterminationCorrected(
                determination=wanted,
                replaces_event_id=last.event_id,
                replaces_seq=last.seq,
                reason=f"changed in {about.system}",
            )
        )
    )


def _title(belief: Belief, snapshot: Snapshot, about: About, phases: Lifecycle) -> Change:
    if snapshot.title is UNSET or phases.describes_anew or snapshot.title == belief.title:
        return _NOTHING
    return _tell(about.sometime(TitleChanged(title=snapshot.title)))


def _merge(belief: Belief, snapshot: Snapshot, about: About, merged_into: str | UnsetType) -> Change:
    if merged_into is UNSET or merged_into == belief.merged_into:
        return _NOTHING
    at: datetime | None = snapshot.merged_at or None
    tellings = []
    if belief.merged_into:
        tellings.append(about.sometime(IncidentUnmerged(from_incident_id=belief.merged_into), at))
    if merged_into:
        tellings.append(about.sometime(IncidentMerged(into_incident_id=merged_into), at))
    return Change(0, (), tuple(tellings))


def _tell(telling: Telling) -> Change:
    return Change(0, (), (telling,))


_NOTHING = Change(0, (), ())
