"""Changes of phase: fourteen transitions, each with its guards. Whatever is not listed is refused.

The phases follow NIST SP 800-61 and CSF 2.0 (see `events.incident`); the two profiles differ only in what must come
before eradication and resolution.
"""

from datetime import datetime
from typing import assert_never

from events.incident import (
    Determination,
    DeterminationSet,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentFact,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentUnmerged,
)
from services.command import verb_of
from services.incidents import impact, roles
from services.incidents.circumstances import SKEW_MAX, Circumstances, wrong_phase
from services.incidents.commands import (
    AssignRole,
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
from services.incidents.merging import merge
from services.incidents.state import OPEN_PHASES, Incident, Phase

ALLOWED_FROM: dict[type[TransitionCommand], frozenset[Phase]] = {
    Open: frozenset({"unopened"}),
    Declare: frozenset({"unopened", "triage"}),
    Contain: frozenset({"active"}),
    Eradicate: frozenset({"active", "contained"}),
    Resolve: frozenset({"triage", "active", "contained", "eradicated"}),
    Regress: frozenset({"contained", "eradicated"}),
    Close: frozenset({"resolved"}),
    Reopen: frozenset({"resolved", "closed"}),
    Dismiss: frozenset({"triage", "active", "contained", "resolved", "closed"}),
    Reinstate: frozenset({"dismissed"}),
    Merge: OPEN_PHASES | {"resolved", "closed", "dismissed"},
    Unmerge: frozenset({"merged"}),
}
"""From which phases each may be asked."""

_RECORDED_LATER = "declared after it was over"

NO_INCIDENT: tuple[Determination, ...] = ("false_positive", "benign", "exercise")
"""Determinations by which it was never an incident; each is also a reason to dismiss."""


def change_phase(incident: Incident, command: TransitionCommand, about: Circumstances) -> tuple[IncidentFact, ...]:
    """The facts of one transition; none when it holds already.

    Raises:
        CommandRefused: the phase does not allow it, or a guard is not met.
    """
    if _holds_already(incident, command):
        return ()
    if incident.phase not in ALLOWED_FROM[type(command)]:
        raise wrong_phase(incident, verb_of(command), about)
    match command:
        case Open():
            return (_open(command),)
        case Declare():
            return _declare(incident, command, about)
        case Contain():
            return _contain(incident, command, about)
        case Eradicate():
            return _eradicate(incident, command, about)
        case Resolve():
            return _resolve(incident, command, about)
        case Regress(reason=reason):
            return (IncidentRegressed(reason=reason),)
        case Close():
            return _close(incident, command, about)
        case Reopen():
            return _reopen(incident, command, about)
        case Dismiss():
            return _dismiss(incident, command, about)
        case Reinstate(reason=reason):
            return _reinstate(incident, reason)
        case Merge():
            return merge(command, about)
        case Unmerge(reason=reason):
            return (IncidentUnmerged(from_incident_id=incident.merged_into, reason=reason),)
        case _:
            assert_never(command)


def determine_late(incident: Incident, determination: Determination, reason: str) -> tuple[IncidentFact, ...]:
    """What a determination says about the phase: after the resolution, one that denies the incident dismisses it."""
    if incident.phase not in ("resolved", "closed"):
        return ()
    match determination:
        case "false_positive" | "benign" | "exercise":
            return (IncidentDismissed(reason=determination, explanation=reason),)
        case _:
            return ()


def _holds_already(incident: Incident, command: TransitionCommand) -> bool:
    did = incident.deed.did if incident.deed else ""
    match command:
        case Open():
            return incident.phase == "triage" and _describes(command, incident)
        case Declare():
            return incident.phase in ("active", "contained", "eradicated") and _says_nothing_new(incident, command)
        case Contain():
            return incident.phase == "contained"
        case Eradicate():
            return incident.phase == "eradicated"
        case Resolve():
            return incident.phase == "resolved"
        case Regress():
            return did == "said that it regressed"
        case Close():
            return incident.phase == "closed"
        case Reopen():
            return did == "reopened it"
        case Dismiss():
            return incident.phase == "dismissed"
        case Reinstate():
            return did == "reinstated it"
        case Merge(into_incident_id=root):
            return incident.phase == "merged" and incident.merged_into == root
        case Unmerge():
            return did.startswith("separated it from")
        case _:
            assert_never(command)


def _describes(command: Open, incident: Incident) -> bool:
    said = (command.title, command.severity, command.profile, command.service)
    return said == (incident.title, incident.severity, incident.profile, incident.service)


def _says_nothing_new(incident: Incident, command: Declare) -> bool:
    return (
        command.title in ("", incident.title)
        and command.severity in (None, incident.severity)
        and command.profile in (None, incident.profile)
        and command.service in ("", incident.service)
        and command.commander in ("", incident.commander)
    )


def _open(command: Open) -> IncidentOpened:
    return IncidentOpened(
        title=command.title,
        severity=command.severity,
        profile=command.profile,
        service=command.service,
        reason=command.reason,
    )


def _declare(incident: Incident, command: Declare, about: Circumstances) -> tuple[IncidentFact, ...]:
    is_new = incident.phase == "unopened"
    title = command.title or incident.title
    if not title or (is_new and command.severity is None):
        raise about.refused(
            "declare",
            because=f"`$.{'severity' if title else 'title'}` is missing",
            instead="give a title and a severity from sev1 (most severe) to sev5",
            code="invalid",
        )
    detected_at = command.detected_at or (None if is_new else incident.detected_at)
    if detected_at is not None and detected_at > about.happened_at:
        raise about.refused(
            "declare",
            because=f"`$.detected_at`, {about.clock_time(detected_at)}, lies after the declaration at "
            f"{about.clock_time(about.happened_at)}",
            instead="leave it out: the declaration is then the detection",
            code="invalid",
        )
    declared = IncidentDeclared(
        title=title,
        severity=command.severity or incident.severity,
        profile=command.profile or incident.profile,
        service=command.service or incident.service,
        reason=command.reason,
        detected_at=detected_at,
    )
    assigned: tuple[IncidentFact, ...] = ()
    if command.commander:
        assigned = roles.assign(incident, AssignRole(role="commander", person_id=command.commander), about)
    return declared, *assigned, *_over_already(command, about, is_new=is_new)


def _over_already(command: Declare, about: Circumstances, *, is_new: bool) -> tuple[IncidentFact, ...]:
    """The resolution of an incident that is declared after it was over."""
    if command.resolved_at is None:
        return ()
    if not is_new:
        raise about.refused(
            "declare",
            because="`$.resolved_at` is for a new incident that is over already",
            instead="declare it, then resolve it with the time when it was",
            code="invalid",
        )
    if not about.happened_at <= command.resolved_at <= about.now + SKEW_MAX:
        raise about.refused(
            "declare",
            because=f"`$.resolved_at`, {about.clock_time(command.resolved_at)}, does not lie between the declaration "
            f"at {about.clock_time(about.happened_at)} and now",
            instead="give the time when it was over, or leave it out while it lasts",
            code="invalid",
        )
    return (IncidentResolved(summary=command.reason, waiver=_RECORDED_LATER),)


def _contain(incident: Incident, command: Contain, about: Circumstances) -> tuple[IncidentFact, ...]:
    begun = [moment for moment in (incident.impact_started_at, incident.detected_at) if moment is not None]
    _not_before(min(begun, default=None), "it began", "contain", about)
    ended = impact.end_all(incident, about) if command.ends_impact and incident.profile == "ops" else ()
    return *ended, IncidentContained(summary=command.summary)


def _eradicate(incident: Incident, command: Eradicate, about: Circumstances) -> tuple[IncidentFact, ...]:
    if incident.profile == "security" and incident.contained_at is None and not command.waiver:
        raise about.refused(
            "eradicate",
            because="it is not contained, which the security profile asks for first",
            instead="contain it first, or give a waiver that says why that is not needed",
        )
    return (IncidentEradicated(summary=command.summary, waiver=command.waiver),)


def _resolve(incident: Incident, command: Resolve, about: Circumstances) -> tuple[IncidentFact, ...]:
    if incident.impact:
        scopes = ", ".join(sorted(incident.impact))
        raise about.refused(
            "resolve",
            because=f"users are still affected: impact on {scopes} has not ended",
            instead="end the impact first (set it to level 0), or contain the incident",
        )
    undeclared = incident.phase == "triage"
    waived = command.waiver or incident.profile == "ops" or undeclared
    if incident.eradicated_at is None and not waived:
        raise about.refused(
            "resolve",
            because="it is not eradicated, which the security profile asks for first",
            instead="eradicate it first, or give a waiver that says why that is not needed",
        )
    _not_before(incident.began_at, "it began", "resolve", about)
    return (IncidentResolved(summary=command.summary, waiver=command.waiver, undeclared=undeclared),)


def _close(incident: Incident, command: Close, about: Circumstances) -> tuple[IncidentFact, ...]:
    if not (about.review_published or command.waiver):
        raise about.refused(
            "close",
            because="no review of it is published",
            instead="publish its postmortem, or give a waiver that says why none is needed",
        )
    if about.unowned_actions:
        raise about.refused(
            "close",
            because=f"nobody owns {', '.join(about.unowned_actions)}",
            instead="finish it, or drop it with a reason and agree on it again with an owner",
        )
    if incident.impact:
        scopes = ", ".join(sorted(incident.impact))
        raise about.refused(
            "close", because=f"the impact on {scopes} has no end", instead="say when it ended (level 0)"
        )
    _not_before(incident.resolved_at, "it was resolved", "close", about)
    return (IncidentClosed(waiver=command.waiver),)


def _reopen(incident: Incident, command: Reopen, about: Circumstances) -> tuple[IncidentFact, ...]:
    _not_before(incident.resolved_at, "it was resolved", "reopen", about)
    if incident.resolved_at is not None and about.happened_at - incident.resolved_at > about.reopen_window:
        raise about.refused(
            "reopen",
            because=f"it was resolved at {about.clock_time(incident.resolved_at)}, more than "
            f"{about.reopen_window.days} days before",
            instead=f"declare a new incident and name {about.incident_id} in its reason",
        )
    return (IncidentReopened(kind=command.kind, reason=command.reason, episode=incident.episode + 1),)


def _dismiss(incident: Incident, command: Dismiss, about: Circumstances) -> tuple[IncidentFact, ...]:
    dismissed = IncidentDismissed(reason=command.reason, explanation=command.explanation)
    match command.reason:
        case "false_positive" | "benign" | "exercise" as determination:
            if incident.determination == determination:
                return (dismissed,)
            return DeterminationSet(determination=determination, reason=command.explanation), dismissed
        case _ if not incident.is_open:
            raise about.refused(
                "dismiss",
                because=f"after the resolution it can only turn out to be {', '.join(NO_INCIDENT)}, "
                f"not {command.reason}",
                instead="dismiss it with one of these reasons, or close it",
            )
        case _:
            return (dismissed,)


def _reinstate(incident: Incident, reason: str) -> tuple[IncidentFact, ...]:
    reinstated = IncidentReinstated(reason=reason)
    if incident.determination in NO_INCIDENT:
        return reinstated, DeterminationSet(determination="suspected", reason=reason)
    return (reinstated,)


def _not_before(earliest: datetime | None, what: str, asked: str, about: Circumstances) -> None:
    if earliest is not None and about.happened_at < earliest:
        raise about.refused(
            asked,
            because=f"{what} at {about.clock_time(earliest)}, after the given {about.clock_time(about.happened_at)}",
            instead="give a later time, or leave it out for now",
            code="invalid",
        )
