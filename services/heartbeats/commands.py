"""What may be asked of heartbeats, on ``cmd.heartbeats.<verb>``. The order's target is the heartbeat's name or id."""

from typing import Annotated

import msgspec

from events.alert import AlertSeverity
from services.command import Command, read_command, verbs_of

# Seconds. A timer shorter than this costs more facts than it is worth, and intake tells what it received within 5.
EVERY_MIN_S = 30
# Seconds: 400 days, so that a yearly job can be watched.
EVERY_MAX_S = 400 * 24 * 3600
GRACE_MAX_S = 30 * 24 * 3600
NAME_CHARS_MAX = 200
REASON_CHARS_MAX = 2_000


class Configure(Command, frozen=True, forbid_unknown_fields=True, tag="configure"):
    """Expect a ping at least so often; or again, when it was paused. The first one has a whole interval's time."""

    every_s: Annotated[int, msgspec.Meta(ge=EVERY_MIN_S, le=EVERY_MAX_S)]
    """Longest time between two pings, in seconds."""
    grace_s: Annotated[int, msgspec.Meta(ge=0, le=GRACE_MAX_S)] = 0
    """How much later one may come before somebody is alerted, in seconds."""
    name: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] = ""
    """What people call it; the target when empty."""
    severity: AlertSeverity = "error"
    """Of the alert when a ping is missed."""
    service: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] = ""


class Pause(Command, frozen=True, forbid_unknown_fields=True, tag="pause"):
    """Expect nothing until it is configured again, as for maintenance. An alert that fires is cleared."""


class Remove(Command, frozen=True, forbid_unknown_fields=True, tag="remove"):
    """Expect nothing any more. An alert that fires is cleared."""

    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)] = ""


HeartbeatCommand = Configure | Pause | Remove
VERBS: dict[str, type[HeartbeatCommand]] = verbs_of(HeartbeatCommand)
"""Every verb with its command."""


def parse(verb: str, body: bytes) -> HeartbeatCommand:
    """Read a command from its JSON. See `services.command.read_command`."""
    return read_command("heartbeats", VERBS, verb, body)
