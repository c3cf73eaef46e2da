"""What a form is made of: one thing to do with an incident, and what it asks."""

from typing import Literal

import msgspec

from events.incident import Profile

Kind = Literal["text", "area", "choice", "person", "date", "datetime-local", "number", "yes", "hidden"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a form."""

    name: str
    label: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    """Values and what they are called. A choice without any is between things of the incident at hand, such as its
    alerts: `services.web.forms.moves_for` puts them in."""
    hint: str = ""
    chars_max: int = 2_000
    checked: bool = False


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do with an incident."""

    verb: str
    label: str
    says: str
    """One sentence: what it means."""
    phases: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    profile: Profile | None = None
    """Only for incidents of this profile."""
    weight: Literal["next", "usual", "rare", "past"] = "usual"
    """``next``: what moves the incident on from here; ``past``: what says that something was not so."""
