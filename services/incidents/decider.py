"""Decide what an order about an incident leads to. Pure: no clock, id, socket or chance; they come in.

Asking for what already holds is no error: it leads to nothing. Everything else that cannot be done is refused with
what was asked, why not, and what to do instead.
"""

from typing import assert_never

from events.incident import (
    AlertLinked,
    AlertUnlinked,
    DeterminationSet,
    IncidentAcknowledged,
    IncidentFact,
    IncidentSeverityChanged,
    Noted,
    TitleChanged,
)
from services.command import verb_of
from services.incidents.causing import say_cause
from services.incidents.circumstances import SKEW_MAX, Circumstances, require_open, wrong_phase
from services.incidents.commands import (
    AcceptRole,
    Acknowledge,
    AddNote,
    AssignRole,
    ChangeSeverity,
    Close,
    Contain,
    CorrectDetermination,
    CorrectMilestone,
    CorrectSeverity,
    Declare,
    Determine,
    Dismiss,
    Eradicate,
    IdentifyCause,
    IncidentCommand,
    LinkAlert,
    LinkChange,
    Merge,
    OfferRole,
    Open,
    RecordCommand,
    Regress,
    Reinstate,
    RelieveRole,
    Rename,
    Reopen,
    Resolve,
    Retract,
    SetImpact,
    UnlinkAlert,
    UnlinkChange,
    Unmerge,
)
from services.incidents.correcting import correct
from services.incidents.impact import set_impact
from services.incidents.lifecycle import change_phase, determine_late
from services.incidents.roles import change_roles
from services.incidents.state import Incident, Phase

# What was learned later is still recorded, until the incident turned out to be none or part of another.
_UNTIL_CLOSED: frozenset[Phase] = frozenset({"resolved", "closed"})


def decide(incident: Incident, command: IncidentCommand, about: Circumstances) -> tuple[IncidentFact, ...]:
    """The facts that an order leads to; none when what it asks for already holds.

    Raises:
        CommandRefused: it cannot be done.
    """
    if about.happened_at > about.now + SKEW_MAX:
        then, now = about.clock_time(about.happened_at), about.clock_time(about.now)
        raise about.refused(
            verb_of(command),
            because=f"it would happen at {then}, and now is {now}",
            instead="give a time that has passed, or set the clock right",
            code="invalid",
        )
    match command:
        case (
            Open()
            | Declare()
            | Contain()
            | Eradicate()
            | Resolve()
            | Regress()
            | Close()
            | Reopen()
            | Dismiss()
            | Reinstate()
            | Merge()
            | Unmerge()
        ):
            return change_phase(incident, command, about)
        case AssignRole() | OfferRole() | AcceptRole() | RelieveRole():
            return change_roles(incident, command, about)
        case CorrectMilestone() | Retract() | CorrectSeverity() | CorrectDetermination():
            return correct(incident, command, about)
        case IdentifyCause() | LinkChange() | UnlinkChange():
            return say_cause(incident, command, about)
        case (
            Acknowledge()
            | ChangeSeverity()
            | AddNote()
            | Rename()
            | SetImpact()
            | Determine()
            | LinkAlert()
            | UnlinkAlert()
        ):
            return _record(incident, command, about)
        case _:
            assert_never(command)


def _record(incident: Incident, command: RecordCommand, about: Circumstances) -> tuple[IncidentFact, ...]:
    match command:
        case Acknowledge():
            return _acknowledge(incident, command, about)
        case ChangeSeverity(severity=severity, reason=reason):
            asked = "change the severity of"
            _require_opened(incident, asked, about)
            if severity == incident.severity:
                return ()
            require_open(incident, asked, about, also=_UNTIL_CLOSED)
            return (IncidentSeverityChanged(severity=severity, previous=incident.severity, reason=reason),)
        case AddNote(text=text):
            _require_opened(incident, "write a note on", about)
            return (Noted(text=text),)
        case Rename(title=title):
            _require_opened(incident, "rename", about)
            return () if title == incident.title else (TitleChanged(title=title),)
        case SetImpact():
            return set_impact(incident, command, about)
        case Determine(determination=determination, reason=reason):
            _require_opened(incident, "determine", about)
            if determination == incident.determination:
                return ()
            require_open(incident, "determine", about, also=_UNTIL_CLOSED)
            found = DeterminationSet(determination=determination, reason=reason)
            return found, *determine_late(incident, determination, reason)
        case LinkAlert():
            return _link(incident, command, about)
        case UnlinkAlert(alert_key=key, reason=reason):
            _require_opened(incident, "take an alert out of", about)
            return (AlertUnlinked(alert_key=key, reason=reason),) if key in incident.alerts else ()
        case _:
            assert_never(command)


def _acknowledge(incident: Incident, command: Acknowledge, about: Circumstances) -> tuple[IncidentFact, ...]:
    if about.actor in incident.acknowledged and incident.is_open:
        return ()
    require_open(incident, "acknowledge", about)
    return (IncidentAcknowledged(page_id=command.page_id, automatic=about.actor.startswith("service:")),)


def _link(incident: Incident, command: LinkAlert, about: Circumstances) -> tuple[IncidentFact, ...]:
    asked = "add an alert to"
    require_open(incident, asked, about, also=_UNTIL_CLOSED)
    alert = about.alert
    if alert is None:
        raise about.refused(
            asked,
            because=f"no alert {command.alert_key} ever fired",
            instead="find its key: recount sql 'select alert_key, title from alerts'",
            code="not_found",
        )
    if incident.alerts.get(command.alert_key) == alert.occurrence:
        return ()
    return (
        AlertLinked(alert_key=command.alert_key, occurrence=alert.occurrence, title=alert.title, reason=command.reason),
    )


def _require_opened(incident: Incident, asked: str, about: Circumstances) -> None:
    if incident.phase == "unopened":
        raise wrong_phase(incident, asked, about)
