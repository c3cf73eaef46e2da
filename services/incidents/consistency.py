"""What no history can hold: times that run backwards, changes of phase that nothing leads to, and two commanders.

A correction is refused when what is believed after it would hold one that was not there before. The order of times is
the least that must be so: contained not before the impact or the detection began, resolved not before it was detected,
closed and reopened not before it was resolved, an impact not ended before it last changed. Detected before the impact
began, or acknowledged before it was declared, is unusual and true often enough to be accepted.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from events import Event, Fact
from events.incident import (
    ImpactEnded,
    ImpactLevelChanged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentUnmerged,
    RoleAssigned,
    RoleHandoffAccepted,
)
from services.corrections import corrections_of
from services.incidents.circumstances import Circumstances
from services.incidents.commands import (
    Close,
    Contain,
    Declare,
    Dismiss,
    Eradicate,
    Merge,
    Open,
    Regress,
    Reinstate,
    Reopen,
    Resolve,
    TransitionCommand,
    Unmerge,
)
from services.incidents.lifecycle import ALLOWED_FROM
from services.incidents.state import UNOPENED, Incident, PhaseFact, evolve, fold

_ASKED_BY: dict[type[Fact], type[TransitionCommand]] = {
    IncidentOpened: Open,
    IncidentDeclared: Declare,
    IncidentContained: Contain,
    IncidentEradicated: Eradicate,
    IncidentResolved: Resolve,
    IncidentRegressed: Regress,
    IncidentClosed: Close,
    IncidentReopened: Reopen,
    IncidentDismissed: Dismiss,
    IncidentReinstated: Reinstate,
    IncidentMerged: Merge,
    IncidentUnmerged: Unmerge,
}


def contradictions(events: Iterable[Event], about: Circumstances) -> list[str]:
    """What cannot be in a history as it is believed, in log order; each completes *because …*."""
    told = tuple(events)
    corrections = corrections_of(told)
    whole = fold(told)
    incident = UNOPENED
    found: list[str] = []
    for event in filter(None, map(corrections.believed, told)):
        found += _steps_from_nowhere(incident, event)
        found += _before_its_time(incident, whole, event, about)
        incident = evolve(incident, event)
    return found


def _steps_from_nowhere(incident: Incident, event: Event) -> Iterator[str]:
    match event.fact:
        case ImpactLevelChanged(scope=scope) | ImpactEnded(scope=scope) if scope not in incident.impact:
            yield f"the impact on {scope} would change or end without having begun"
        case IncidentResolved() | IncidentClosed() if incident.impact:
            scopes = ", ".join(sorted(incident.impact))
            yield f"it would be over while the impact on {scopes} has no end"
        case RoleAssigned(role="commander", person_id=person) | RoleHandoffAccepted(role="commander", person_id=person):
            others = [other for other in evolve(incident, event).roles["commander"] if other != person]
            if others:
                yield f"{person} would command beside {' and '.join(others)}"
        case _:
            pass
    asked_by = _ASKED_BY.get(type(event.fact))
    if asked_by and incident.phase not in ALLOWED_FROM[asked_by]:
        did = evolve(incident, event).deed
        yield f"{did.actor if did else 'somebody'} {did.did if did else ''} later, when it would be {incident.phase}"


def _before_its_time(incident: Incident, whole: Incident, event: Event, about: Circumstances) -> Iterator[str]:
    for what, reached, bound, earliest in _bounds(incident, whole, event):
        if earliest is not None and reached < earliest:
            yield f"{what} at {about.clock_time(reached)} lies before {bound} at {about.clock_time(earliest)}"


def _bounds(incident: Incident, whole: Incident, event: Event) -> Iterator[tuple[str, datetime, str, datetime | None]]:
    at = event.happened_at
    match event.fact:
        case IncidentContained():
            begun = [moment for moment in (whole.impact_started_at, whole.detected_at) if moment is not None]
            yield "contained", at, "it began", min(begun, default=None)
        case IncidentResolved():
            yield "resolved", at, "it was detected", whole.detected_at
            if incident.episode > 1:
                yield "resolved", at, "its episode began", incident.began_at
        case IncidentClosed():
            yield "closed", at, "it was resolved", incident.resolved_at
        case IncidentReopened():
            yield "reopened", at, "it was resolved", incident.resolved_at
        case ImpactLevelChanged(scope=scope) | ImpactEnded(scope=scope) if scope in incident.impact:
            yield f"the change of the impact on {scope}", at, "the one before", incident.impact[scope].changed_at
        case _:
            pass


def changes_phase(fact: Fact) -> bool:
    """Whether a fact is a change of phase."""
    return isinstance(fact, PhaseFact)
