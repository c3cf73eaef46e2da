"""What recount.toml says about people, rotations and policies, asked of on-call as commands.

On-call compares with what holds, so applying the same file again writes nothing. What is not in the file stays.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator

import msgspec

from events.escalation import Level
from events.ids import new_event_id
from events.person import Contact, PersonDetails
from services.clock import Clock
from services.command import Answer, Command, Order, Refused, verb_of
from services.directory import Directory
from services.oncall.commands import AddPerson, ChangePerson, ConfigurePolicy, ConfigureRotation
from services.settings import PersonSettings, Settings

logger = logging.getLogger("recount")

ACTOR = "service:configuration"

Ask = Callable[[str, str, Order], Awaitable[Answer]]
"""Asks a service: name, verb, order."""

# Channels that are not Apprise's; every other contact is an Apprise URL, which is its own address.
_OWN_CHANNELS = ("smtp", "console")


async def apply_settings(settings: Settings, ask: Ask, directory: Directory, clock: Clock) -> int:
    """Ask on-call for everything in the file that does not hold yet.

    What on-call refuses is reported and left out, because an installation that pages some people is better than none.

    Returns:
        How many were refused.
    """
    await directory.refresh()
    refused = 0
    for key, target, command in commands(settings, directory):
        order = Order(
            id=new_event_id(),
            actor=ACTOR,
            issued_at=clock.now(),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target,
        )
        answer = await ask("oncall", verb_of(command), order)
        if isinstance(answer, Refused):
            refused += 1
            logger.error("%s: %s: %s; %s", settings.file, key, answer.because, answer.instead)
        elif answer.seq:
            # Not its message: that names people, and a log file outlives the erasure of a person.
            logger.info("%s: %s holds now", settings.file, key)
    return refused


def commands(settings: Settings, directory: Directory) -> Iterator[tuple[str, str, Command]]:
    """Key in the file, target and command of all that the file asks for, people first."""
    for handle, person in settings.people.items():
        details = details_of(handle, person)
        known = directory.by_handle(handle)
        if known is None:
            yield f"people.{handle}", "", AddPerson(details=details)
        elif known.details != details:
            yield f"people.{handle}", known.person_id, ChangePerson(details=details)
    for name, rotation in settings.rotations.items():
        yield (
            f"rotations.{name}",
            name,
            ConfigureRotation(
                zone=rotation.zone,
                starts_at=rotation.starts_at,
                shift_days=rotation.shift_days,
                members=rotation.members,
                name=rotation.name,
            ),
        )
    for name, policy in settings.policies.items():
        levels = tuple(Level(targets=level.targets, answer_within_s=level.answer_within_s) for level in policy.levels)
        yield f"policies.{name}", name, ConfigurePolicy(levels=levels, repeat=policy.repeat, name=policy.name)


def details_of(handle: str, person: PersonSettings) -> PersonDetails:
    """A person of the file as on-call takes one."""
    return PersonDetails(
        handle=handle, name=person.name, contacts=tuple(map(contact_of, person.contacts)), zone=person.zone
    )


def contact_of(text: str) -> Contact:
    """``smtp:ada@example.org`` as a contact; any other scheme is an Apprise URL."""
    channel, _, address = text.partition(":")
    return Contact(channel=channel, address=address if channel in _OWN_CHANNELS else text)
