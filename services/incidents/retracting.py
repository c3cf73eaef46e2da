"""What was recorded and is not so, taken back. Pure.

The event stays in the log; whatever is computed from then on leaves it out. Taking back a change of phase carries the
phase that the incident is then in, so that whoever replays it cannot land elsewhere.
"""

from msgspec.structs import replace

from events.fact import tag_of
from events.incident import (
    EventRetracted,
    IncidentAbsorbed,
    IncidentDisowned,
    IncidentMerged,
    IncidentUnmerged,
)
from services.incidents.circumstances import Circumstances
from services.incidents.commands import Retract
from services.incidents.consistency import changes_phase, contradictions
from services.incidents.state import Incident, fold


def retract(incident: Incident, command: Retract, about: Circumstances) -> tuple[EventRetracted, ...]:
    """The fact that takes an event back; none when it was.

    Raises:
        CommandRefused: there is no such event, it is undone in another way, or the rest makes no sense without it.
    """
    asked = f"take position {command.seq} back from"
    target = about.retracted
    if target is None:
        raise about.refused(
            asked,
            because=f"no event of {about.incident_id}, its pages, alerts or review lies there",
            instead=f"`recount show {about.incident_id}` lists its positions",
            code="not_found",
        )
    if target.event.id in incident.retracted:
        return ()
    fact = target.fact
    if because_instead := _undone_otherwise(incident, command, about):
        because, instead = because_instead
        raise about.refused(asked, because=because, instead=instead)
    retracted = EventRetracted(
        event_id=target.event.id,
        event_seq=target.seq,
        event_stream=target.stream,
        event_type=tag_of(type(fact)),
        reason=command.reason,
    )
    events = [past.event for past in about.history]
    without = [*events, about.said(retracted)]
    before = contradictions(events, about)
    for contradiction in contradictions(without, about):
        if contradiction not in before:
            raise about.refused(
                asked,
                because=f"without it, {contradiction}",
                instead="take that back or correct it first; a wrong time is corrected, not taken back",
            )
    if not changes_phase(fact):
        return (retracted,)
    return (replace(retracted, phase=fold(without).phase),)


def _undone_otherwise(incident: Incident, command: Retract, about: Circumstances) -> tuple[str, str] | None:
    assert about.retracted is not None
    fact = about.retracted.fact
    if about.history and command.seq == about.history[0].seq:
        return "it is what began the incident", "dismiss the incident, or merge it into the one that it belongs to"
    match fact:
        case EventRetracted():
            return "it takes something back itself", "say again what was so"
        case IncidentMerged() | IncidentAbsorbed():
            return "a merge is undone on both incidents at once", "unmerge the one that was merged"
        case IncidentUnmerged() | IncidentDisowned():
            return "a separation is undone on both incidents at once", "merge them again"
        case _ if incident.phase == "merged" and changes_phase(fact):
            return f"it is merged into {incident.merged_into}", "unmerge it first"
        case _:
            return None
