"""Facts about what caused an incident and what ended it. Stream ``incident.INC-<n>``.

Nothing here is guessed: that a change was made shortly before an incident says nothing; somebody has to.
"""

from typing import ClassVar, Literal

from events.fact import Fact

ChangePart = Literal["cause", "remedy"]
"""``cause``: the change is why the incident happened. ``remedy``: it was made to end it, unplanned, as a rollback or a
hotfix is."""


class CauseIdentified(Fact, frozen=True, tag="incident.cause_identified"):
    """The cause was known well enough to repair it: hands-on repair began."""

    headline: ClassVar[str] = "cause identified: {summary}"
    summary: str


class ChangeLinked(Fact, frozen=True, tag="incident.change_linked"):
    """A change caused this incident, or was made to end it."""

    headline: ClassVar[str] = "{part}: {title}"
    change_key: str
    """Which change: the stream ``change.<change_key>``."""
    part: ChangePart
    """``cause`` or ``remedy``."""
    title: str
    reason: str = ""


class ChangeUnlinked(Fact, frozen=True, tag="incident.change_unlinked"):
    """A change did not cause this incident, or did not end it, after all."""

    headline: ClassVar[str] = "change {change_key} is no {part}: {reason}"
    change_key: str
    part: ChangePart
    """``cause`` or ``remedy``."""
    reason: str = ""


CauseFact = CauseIdentified | ChangeLinked | ChangeUnlinked
