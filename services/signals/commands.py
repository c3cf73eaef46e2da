"""What may be asked about rules and silences, on ``cmd.signals.<verb>``. The public door of this service."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import msgspec

from services.command import Command, CommandRefused

# A reason is a sentence or a few; it stands in one line of a list.
REASON_CHARS_MAX = 2_000
MATCHER_CHARS_MAX = 5_000
MATCHERS_MAX = 64

Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)]
MatcherText = Annotated[str, msgspec.Meta(min_length=1, max_length=MATCHER_CHARS_MAX)]


class PublishRules(Command, frozen=True, forbid_unknown_fields=True, tag="publish_rules"):
    """Decide by this rule set from now on. The same text as now changes nothing. No target."""

    text: str
    """The rule set in TOML, whole."""
    note: Reason = ""
    """What changes and why."""
    origin: Literal["settings", "person"] = "person"
    """``settings`` yields to what a person ever published."""


class CreateSilence(Command, frozen=True, forbid_unknown_fields=True, tag="create_silence"):
    """Hold back the alerts that fit for a while. The target is the new silence's id; chosen by the service if empty."""

    matchers: Annotated[tuple[MatcherText, ...], msgspec.Meta(min_length=1, max_length=MATCHERS_MAX)]
    """In Alertmanager's syntax. All must fit, and at least one must ask for something."""
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]
    starts_at: datetime | None = None
    """None: now. Later makes it a maintenance window."""
    ends_at: datetime | None = None
    lasts_s: int = 0
    """Seconds from its start, instead of ``ends_at``."""


class ChangeSilence(Command, frozen=True, forbid_unknown_fields=True, tag="change_silence"):
    """Let a silence last for another time. The target is the silence. What is left out stays as it is."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts_s: int = 0
    """Seconds from now, instead of ``ends_at``."""
    reason: Reason = ""


class EndSilence(Command, frozen=True, forbid_unknown_fields=True, tag="end_silence"):
    """End a silence now; what it holds back is looked at again. The target is the silence."""

    reason: Reason = ""


SignalsCommand = PublishRules | CreateSilence | ChangeSilence | EndSilence
VERBS: dict[str, type[SignalsCommand]] = {str(kind.__struct_config__.tag): kind for kind in get_args(SignalsCommand)}
"""Every verb with its command: ``{"publish_rules": PublishRules, …}``."""

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {verb: msgspec.json.Decoder(kind) for verb, kind in VERBS.items()}


def parse(verb: str, body: bytes) -> SignalsCommand:
    """Read a command from its JSON.

    Raises:
        CommandRefused: with code ``invalid``; it says what is wrong and what the verb takes.
    """
    asked = f"Cannot carry out {verb!r}"
    if verb not in VERBS:
        raise CommandRefused(
            asked, because=f"signals has no verb {verb!r}", instead=f"use one of {', '.join(VERBS)}", code="invalid"
        )
    try:
        command: SignalsCommand = _DECODERS[verb].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        takes = ", ".join(
            f"{field.encode_name} (required)" if field.required else field.encode_name
            for field in msgspec.structs.fields(VERBS[verb])
        )
        raise CommandRefused(
            asked, because=str(error), instead=f"{verb} takes a JSON object with: {takes}", code="invalid"
        ) from error
    return command
