"""People, rotations and policies of recount.toml, configured at each start by the same commands as any other.

What the file names is as the file says after a start; what it does not name stays as it is. A person who was erased
and is still in the file is added as a new person: take people out of the file when you erase them.
"""

from datetime import datetime

import msgspec

from events.errors import BadConfiguration
from events.escalation import Level
from events.ids import new_event_id
from events.person import PersonDetails
from services.command import Command, Order, Refused, verb_of
from services.directory import Directory
from services.oncall.commands import (
    AddPerson,
    ChangePerson,
    ConfigurePolicy,
    ConfigureRotation,
    contact_from_text,
)
from services.oncall.service import OnCall
from services.settings import PersonSettings, Settings

ACTOR = "service:oncall"


async def configure_from(settings: Settings, oncall: OnCall, directory: Directory, now: datetime) -> None:
    """Bring people, then rotations, then policies to what the file says. What holds already writes nothing.

    Raises:
        BadConfiguration: names the file and the table that was refused, and why.
    """
    await directory.refresh()
    for handle, person in settings.people.items():
        details = _details(handle, person)
        command = ChangePerson(details=details) if directory.by_handle(handle) else AddPerson(details=details)
        await _ask(settings, oncall, f"people.{handle}", handle, command, now)
    for rotation_id, rotation in settings.rotations.items():
        configure_rotation = ConfigureRotation(
            zone=rotation.zone,
            starts_at=rotation.starts_at,
            shift_days=rotation.shift_days,
            members=rotation.members,
            name=rotation.name,
        )
        await _ask(settings, oncall, f"rotations.{rotation_id}", rotation_id, configure_rotation, now)
    for policy_id, policy in settings.policies.items():
        levels = tuple(Level(targets=level.targets, answer_within_s=level.answer_within_s) for level in policy.levels)
        configure_policy = ConfigurePolicy(levels=levels, repeat=policy.repeat, name=policy.name)
        await _ask(settings, oncall, f"policies.{policy_id}", policy_id, configure_policy, now)


async def _ask(settings: Settings, oncall: OnCall, table: str, target: str, command: Command, now: datetime) -> None:
    order = Order(
        # A fresh id each time: a setting may return to an earlier value, and that is a change of its own.
        id=new_event_id(),
        actor=ACTOR,
        issued_at=now,
        command=msgspec.Raw(msgspec.json.encode(command)),
        target=target,
    )
    answer = await oncall.handle(order, verb_of(command))
    if isinstance(answer, Refused):
        raise BadConfiguration(f"{settings.file}: {table}: {answer.because}", hint=answer.instead)


def _details(handle: str, person: PersonSettings) -> PersonDetails:
    contacts = tuple(map(contact_from_text, person.contacts))
    return PersonDetails(handle=handle, name=person.name, contacts=contacts, zone=person.zone)
