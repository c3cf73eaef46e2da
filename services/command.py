"""Commands: what may be asked of a service over NATS request/reply, and what it answers.

A command goes to ``cmd.<service>.<verb>`` as an `Order`; its id makes it safe to ask again. The answer is `Done`, also
when what was asked for already held, or `Refused`: what was asked, why not, and what to do instead.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, get_args

import msgspec

from events.errors import RecountError

COMMAND_ROOT = "cmd"
# Longer than the slowest append (`events.nats_log.APPEND_TIMEOUT_S` and its settling), so that the caller hears of it.
ANSWER_TIMEOUT_S = 10.0


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Base of everything that may be asked; the tag is the verb, such as ``acknowledge``."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command with who asks, when, and of what."""

    id: str
    """Chosen by the asker; the same id asked twice is done once. Ids of the resulting events derive from it."""
    actor: str
    """A person id, or ``service:<name>``."""
    issued_at: datetime
    """When it was asked, which is also when its facts happened unless ``happened_at`` says otherwise."""
    command: msgspec.Raw
    """A `Command` of the service asked, as JSON."""
    target: str = ""
    """Which incident, person or rotation it is about; empty for a new one."""
    auth_id: str = ""
    happened_at: datetime | None = None
    """When it happened, if that was earlier than now."""
    happened_earliest: datetime | None = None
    happened_latest: datetime | None = None
    """Bounds, when that is not known precisely."""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done", tag_field="result", omit_defaults=True):
    """It holds now."""

    target: str
    seq: int
    """Log position of the last fact written; 0 when what was asked for already held."""
    message: str
    """One sentence for people."""
    told: dict[str, str] = {}
    """What was asked to be told, for an order that changes nothing."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused", tag_field="result"):
    """It was not done."""

    asked: str
    """What was asked: ``Cannot acknowledge INC-42``."""
    because: str
    instead: str
    """What to do: ``reopen it first: recount reopen INC-42``."""
    code: Literal["invalid", "not_found", "not_allowed", "unavailable"] = "not_allowed"


Answer = Done | Refused
decode_answer: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


class CommandRefused(RecountError):
    """A command was refused. A decider raises it; a service turns it into a `Refused` answer."""

    def __init__(
        self,
        asked: str,
        *,
        because: str,
        instead: str,
        code: Literal["invalid", "not_found", "not_allowed", "unavailable"] = "not_allowed",
    ) -> None:
        super().__init__(f"{asked}: {because}", hint=instead)
        self.answer = Refused(asked=asked, because=because, instead=instead, code=code)


def verb_of(command: Command) -> str:
    """The verb of a command: ``acknowledge``."""
    return str(command.__struct_config__.tag)


Asked = TypeVar("Asked", bound=Command)


def verbs_of(union: Any) -> dict[str, Any]:
    """Every verb of a union of commands with its class: ``{"acknowledge": Acknowledge, …}``."""
    return {str(kind.__struct_config__.tag): kind for kind in get_args(union)}


def read_command(service: str, verbs: Mapping[str, type[Asked]], verb: str, body: bytes) -> Asked:
    """Read a command from its JSON. The field ``type`` may be left out, because the subject says the verb.

    Args:
        service: what people call it.
        verbs: what it may be asked: `verbs_of`.
        verb: what is asked.
        body: the command.

    Raises:
        CommandRefused: with code ``invalid``; it names the JSON path of what is wrong and what the verb takes.
    """
    asked = f"Cannot carry out {verb!r}"
    if verb not in verbs:
        raise CommandRefused(
            asked, because=f"{service} has no verb {verb!r}", instead=f"use one of: {', '.join(verbs)}", code="invalid"
        )
    try:
        command: Asked = _decoder(verbs[verb]).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        takes = ", ".join(
            f"{field.encode_name} (required)" if field.required else field.encode_name
            for field in msgspec.structs.fields(verbs[verb])
        )
        raise CommandRefused(
            asked, because=str(error), instead=f"{verb} takes a JSON object with: {takes}", code="invalid"
        ) from error
    return command


@cache
def _decoder(kind: type[Asked]) -> msgspec.json.Decoder[Asked]:
    return msgspec.json.Decoder(kind)
