"""Two incidents that are one: the one merged points at the other, which carries on alone and says so.

Both facts are one atomic append. There can be no circle: only an incident that is not merged itself may be merged into,
and whoever merges two into each other at once loses on the version of one of them.
"""

from events.incident import (
    IncidentAbsorbed,
    IncidentDisowned,
    IncidentFact,
    IncidentMerged,
    IncidentUnmerged,
)
from services.incidents.circumstances import Circumstances
from services.incidents.commands import Merge


def merge(command: Merge, about: Circumstances) -> tuple[IncidentFact, ...]:
    """The facts of a merge, on the incident that is merged.

    Raises:
        CommandRefused: the other one is this one, is not there, or does not carry on itself.
    """
    root, other = command.into_incident_id, about.other
    if root == about.incident_id:
        raise about.refused(
            "merge", because="it cannot be merged into itself", instead="name the other one", code="invalid"
        )
    if other.deed is None:
        raise about.refused(
            "merge", because=f"there is no {root}", instead="`recount list` shows all", code="not_found"
        )
    if other.phase == "merged":
        into_this = other.merged_into == about.incident_id
        raise about.refused(
            "merge",
            because=f"{root} does not carry on: {about.in_words(other.deed)}",
            instead=f"{root} belongs to this one already: unmerge it first"
            if into_this
            else f"merge into {other.merged_into}",
        )
    if other.phase == "dismissed":
        raise about.refused(
            "merge",
            because=f"{root} does not carry on: {about.in_words(other.deed)}",
            instead=f"reinstate {root} first",
        )
    return (IncidentMerged(into_incident_id=root, reason=command.reason),)


def counterpart(incident_id: str, fact: IncidentFact) -> tuple[str, IncidentFact] | None:
    """What a merge, or its undoing, says about the other incident: its id and the fact."""
    match fact:
        case IncidentMerged(into_incident_id=root):
            return root, IncidentAbsorbed(from_incident_id=incident_id)
        case IncidentUnmerged(from_incident_id=root):
            return root, IncidentDisowned(from_incident_id=incident_id)
        case _:
            return None
