"""Who holds which role: one commander at most, and a hand-over that both sides say.

Incident Command System: at any instant exactly one person commands, and command passes by an explicit two-sided act
(*you are now in command*, *I am in command*). Other roles may have several holders.
"""

from typing import assert_never

from events.incident import (
    IncidentFact,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleHandoffOffered,
    RoleRelieved,
)
from services.incidents.circumstances import Circumstances, require_open
from services.incidents.commands import AcceptRole, AssignRole, OfferRole, RelieveRole, RoleCommand
from services.incidents.state import Incident

_ASKED = {AssignRole: "assign", OfferRole: "offer", AcceptRole: "accept", RelieveRole: "end"}


def change_roles(incident: Incident, command: RoleCommand, about: Circumstances) -> tuple[IncidentFact, ...]:
    """The facts of one change of roles; none when it holds already.

    Raises:
        CommandRefused: nobody works on the incident, or the role is not theirs to give or take.
    """
    asked = f"{_ASKED[type(command)]} the role of {command.role} in"
    # Writing the review is work too, so roles change until the incident is closed.
    require_open(incident, asked, about, also=frozenset({"resolved"}))
    match command:
        case AssignRole():
            return assign(incident, command, about)
        case OfferRole():
            return _offer(incident, command, about, asked)
        case AcceptRole():
            return _accept(incident, command, about, asked)
        case RelieveRole(role=role, person_id=person):
            return (RoleRelieved(role=role, person_id=person),) if person in incident.roles.get(role, ()) else ()
        case _:
            assert_never(command)


def assign(incident: Incident, command: AssignRole, about: Circumstances) -> tuple[IncidentFact, ...]:
    """Give a person a role, unless another commands already."""
    holders = incident.roles.get(command.role, ())
    if command.person_id in holders:
        return ()
    if command.role == "commander" and holders:
        raise about.refused(
            "assign the role of commander in",
            because=f"{holders[0]} is commander, and there is one at a time",
            instead=f"{holders[0]} offers the role and {command.person_id} accepts it; or relieve {holders[0]} first",
        )
    return (RoleAssigned(role=command.role, person_id=command.person_id),)


def _offer(incident: Incident, command: OfferRole, about: Circumstances, asked: str) -> tuple[IncidentFact, ...]:
    role, to = command.role, command.person_id
    holders = incident.roles.get(role, ())
    if incident.offers.get((role, to)) == about.actor:
        return ()
    if about.actor not in holders:
        held_by = " and ".join(holders) or "nobody"
        raise about.refused(
            asked,
            because=f"{about.actor} does not hold it; {held_by} does",
            instead="the holder offers it" if holders else "assign it",
        )
    if to in holders:
        raise about.refused(asked, because=f"{to} holds it already", instead="offer it to somebody else")
    return (RoleHandoffOffered(role=role, person_id=to),)


def _accept(incident: Incident, command: AcceptRole, about: Circumstances, asked: str) -> tuple[IncidentFact, ...]:
    role = command.role
    holder = incident.offers.get((role, about.actor))
    if holder is not None:
        return (RoleHandoffAccepted(role=role, person_id=about.actor, previous_person_id=holder),)
    holders = incident.roles.get(role, ())
    if about.actor in holders:
        return ()
    raise about.refused(
        asked,
        because=f"nobody offered it to {about.actor}",
        instead=f"ask {holders[0]} to offer it" if holders else "nobody holds it: assign it",
    )
