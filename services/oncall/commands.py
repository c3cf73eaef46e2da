"""What may be asked of on-call: the people, the rotations and the policies. The public door of this service.

An `Order` goes to ``cmd.oncall.<verb>``. Its target is the person, rotation or policy concerned. Wherever a person is
meant, a handle or a person id will do; the facts hold ids. Details of a person travel in clear on the bus, between two
processes of one installation, and are sealed before they enter the log.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from events.escalation import Level
from events.person import PersonDetails
from services.command import Command, read_command, verbs_of

# A reason is a sentence or a few; it stands in one line of the timeline.
REASON_CHARS_MAX = 2_000
NAME_CHARS_MAX = 200
# A year and a day: a longer shift is a job.
SHIFT_DAYS_MAX = 366
# The rotation as a whole is one fact of at most 60 KiB, at up to 67 bytes an id.
MEMBERS_MAX = 500
LEVELS_MAX = 20
REPEAT_MAX = 20

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]
Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]


class AddPerson(Command, frozen=True, forbid_unknown_fields=True, tag="add_person"):
    """Add somebody who can be paged, hold a role, or act. No target; the answer's target is the new person id."""

    details: PersonDetails


class ChangePerson(Command, frozen=True, forbid_unknown_fields=True, tag="change_person"):
    """Give a person new details, as a whole. The target is the person."""

    details: PersonDetails


class ErasePerson(Command, frozen=True, forbid_unknown_fields=True, tag="erase_person"):
    """Destroy the key of a person, so that nobody can read who they were. It cannot be undone. The target is the
    person."""

    reason: Reason


class ConfigureRotation(Command, frozen=True, forbid_unknown_fields=True, tag="configure_rotation"):
    """Set a rotation, as a whole. The target is the rotation."""

    zone: str
    """IANA time zone whose wall clock decides the hand-over."""
    starts_at: datetime
    """When the first member's first shift begins: local time of `zone`, or with an offset."""
    shift_days: Annotated[int, msgspec.Meta(ge=1, le=SHIFT_DAYS_MAX)]
    members: Annotated[tuple[str, ...], msgspec.Meta(max_length=MEMBERS_MAX)]
    """In turn. None at all means that nobody is on call."""
    name: Name = ""
    """What people see; the target when empty."""


class ConfigurePolicy(Command, frozen=True, forbid_unknown_fields=True, tag="configure_policy"):
    """Set an escalation policy, as a whole. The target is the policy. Escalations that have begun keep theirs."""

    levels: Annotated[tuple[Level, ...], msgspec.Meta(min_length=1, max_length=LEVELS_MAX)]
    """Targets are ``rotation.<id>`` or ``person.<handle or id>``."""
    repeat: Annotated[int, msgspec.Meta(ge=0, le=REPEAT_MAX)] = 0
    name: Name = ""
    """What people see; the target when empty."""


PersonCommand = AddPerson | ChangePerson | ErasePerson
OncallCommand = PersonCommand | ConfigureRotation | ConfigurePolicy


VERBS: dict[str, type[OncallCommand]] = verbs_of(OncallCommand)
"""Every verb with its command: ``{"add_person": AddPerson, …}``."""


def parse(verb: str, body: bytes) -> OncallCommand:
    """Read a command from its JSON. See `services.command.read_command`."""
    return read_command("on-call", VERBS, verb, body)
