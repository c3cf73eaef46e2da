"""What may be asked about rules and silences, on ``cmd.signals.<verb>``. The public door of this service."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from services.command import Command, read_command, verbs_of

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
VERBS: dict[str, type[SignalsCommand]] = verbs_of(SignalsCommand)
"""Every verb with its command: ``{"publish_rules": PublishRules, …}``."""


def parse(verb: str, body: bytes) -> SignalsCommand:
    """Read a command from its JSON. See `services.command.read_command`."""
    return read_command("signals", VERBS, verb, body)
