"""The phases of a foreign incident as facts of ours. Pure."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from events import Fact
from events.incident import (
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentOpened,
    IncidentRegressed,
    IncidentReopened,
    IncidentResolved,
    Milestone,
)
from services.history.belief import Belief, Told
from services.history.checking import BadSnapshot, steps_of
from services.history.commands import Phase, Reached, Snapshot, Step
from services.history.phases import OPEN, PHASE_AFTER
from services.history.severity import Since, in_force, severity_history
from services.history.strands import About, Change, Telling, change

STEP_OF: dict[type[Fact], Step] = {
    IncidentOpened: "detected",
    IncidentDeclared: "declared",
    IncidentContained: "contained",
    IncidentEradicated: "eradicated",
    IncidentResolved: "resolved",
    IncidentRegressed: "regressed",
    IncidentReopened: "reopened",
    IncidentClosed: "closed",
    IncidentDismissed: "dismissed",
}
"""The milestone that each fact reaches."""

# What a correction can name; the time of the others is corrected by telling them anew.
_CORRECTABLE: dict[Step, Milestone] = {
    "detected": "detected",
    "declared": "declared",
    "contained": "contained",
    "eradicated": "eradicated",
    "resolved": "resolved",
    "reopened": "reopened",
    "closed": "closed",
}


class Lifecycle(msgspec.Struct, frozen=True, kw_only=True):
    """How the phases change, and where they end."""

    change: Change
    severities: tuple[Since, ...]
    """Every severity that it will have had."""
    kept: tuple[Told, ...]
    phase: Phase

    @property
    def describes_anew(self) -> bool:
        """Whether a fact is told that carries title and severity."""
        return any(isinstance(one.fact, IncidentOpened | IncidentDeclared) for one in self.change.tellings)


def is_open(phases: Lifecycle) -> bool:
    """Whether somebody still had to do something."""
    return phases.phase in OPEN


def lifecycle(belief: Belief, snapshot: Snapshot, about: About, actor_of: Callable[[str], str]) -> Lifecycle:
    """What brings the phases to a snapshot.

    Raises:
        BadSnapshot: it is the first one, and title, severity or milestones are missing.
    """
    told = belief.of(*STEP_OF)
    if not told:
        _require_enough(snapshot)
    reached = [] if snapshot.milestones is UNSET else steps_of(snapshot.milestones)
    last = reached[-1].milestone if reached else STEP_OF[type(told[-1].fact)]
    phase = PHASE_AFTER[last]  # type: ignore[index]
    severities = severity_history(belief, snapshot, about, open_now=phase in OPEN)
    described = _describe(belief, snapshot, severities)
    if snapshot.milestones is UNSET:
        wanted = [_again(one, described) for one in told]
    else:
        wanted = [_telling(one, described, reached[:number], actor_of(one.by)) for number, one in enumerate(reached)]
    changed = change(told, wanted, about, same=_same, phase_after=lambda fact: PHASE_AFTER[STEP_OF[type(fact)]])
    return Lifecycle(change=changed, severities=severities, kept=tuple(told[: changed.kept]), phase=phase)


class _Description(msgspec.Struct, frozen=True):
    title: str
    profile: str
    service: str
    severities: tuple[Since, ...]


def _require_enough(snapshot: Snapshot) -> None:
    for name in ("title", "milestones"):
        if getattr(snapshot, name) is UNSET:
            raise _missing(name)
    if snapshot.severity is UNSET and snapshot.severities is UNSET:
        raise _missing("severity")


def _missing(name: str) -> BadSnapshot:
    return BadSnapshot(
        f"$.{name}",
        "it is missing, and this is the first that is told of the incident",
        hint="The first snapshot of an incident gives title, severity and milestones; later ones may leave out what "
        "did not change.",
    )


def _describe(belief: Belief, snapshot: Snapshot, severities: tuple[Since, ...]) -> _Description:
    before = belief.of(IncidentOpened, IncidentDeclared)
    earlier = before[-1].fact if before else None
    profile, service = ("ops", "") if earlier is None else (earlier.profile, earlier.service)  # type: ignore[attr-defined]
    return _Description(
        title=belief.title if snapshot.title is UNSET else snapshot.title,
        profile=profile if snapshot.profile is UNSET else snapshot.profile,
        service=service if snapshot.service is UNSET else snapshot.service,
        severities=severities,
    )


def _telling(reached: Reached, described: _Description, before: Sequence[Reached], by: str) -> Telling:
    assert reached.milestone != "notified"
    return Telling(
        fact=_fact(reached, described, before),
        at=reached.at,
        earliest=reached.earliest,
        latest=reached.latest,
        by=by,
        milestone=_CORRECTABLE.get(reached.milestone),
    )


def _again(told: Told, described: _Description) -> Telling:
    fact = told.fact
    if isinstance(fact, IncidentOpened | IncidentDeclared):
        fact = replace(
            fact,
            title=described.title,
            severity=in_force(described.severities, told.at),
            profile=described.profile,
            service=described.service,
        )
    return Telling(fact=fact, at=told.at, earliest=told.earliest, latest=told.latest, by=told.actor)


def _fact(reached: Reached, described: _Description, before: Sequence[Reached]) -> Fact:
    summary = reached.summary
    match reached.milestone:
        case "detected" | "declared":
            kind = IncidentOpened if reached.milestone == "detected" else IncidentDeclared
            return kind(
                title=described.title,
                severity=in_force(described.severities, reached.at),
                profile=described.profile,  # type: ignore[arg-type]
                service=described.service,
                reason=summary,
            )
        case "contained":
            return IncidentContained(summary=summary)
        case "eradicated":
            return IncidentEradicated(summary=summary)
        case "resolved":
            undeclared = all(earlier.milestone == "detected" for earlier in before)
            return IncidentResolved(summary=summary, undeclared=undeclared)
        case "regressed":
            return IncidentRegressed(reason=summary)
        case "reopened":
            episode = 2 + sum(earlier.milestone == "reopened" for earlier in before)
            return IncidentReopened(kind=reached.kind, reason=summary, episode=episode)
        case "closed":
            return IncidentClosed(waiver=summary)
        case "dismissed":
            return IncidentDismissed(reason=reached.reason, explanation=summary)
        case "notified":
            raise AssertionError("no step of the phases")


def _same(told: Fact, wanted: Fact) -> bool:
    # Title and severity have corrections of their own.
    if isinstance(told, IncidentOpened | IncidentDeclared) and type(told) is type(wanted):
        assert isinstance(wanted, IncidentOpened | IncidentDeclared)
        return replace(told, title=wanted.title, severity=wanted.severity) == wanted
    return told == wanted
