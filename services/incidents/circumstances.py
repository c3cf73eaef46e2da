"""What a decision about an incident needs to know beside the incident itself, and the words in which it is refused."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from events import Event, Fact, Recorded
from services.command import CommandRefused
from services.incidents.state import UNOPENED, Deed, Incident, Phase

# After this long a new incident tells more than a long-closed one that came back (standard practice is one to four
# weeks; two cover a sprint and the review that follows it).
REOPEN_WINDOW = timedelta(days=14)
# Clocks of people and machines differ; what is said to have happened may lie this far ahead of ours.
SKEW_MAX = timedelta(minutes=5)


class KnownAlert(msgspec.Struct, frozen=True):
    """The latest firing of an alert that an order names."""

    occurrence: int
    title: str


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, when, and what else is so."""

    incident_id: str
    actor: str
    """A person id, or ``service:<name>``."""
    happened_at: datetime
    now: datetime
    reopen_window: timedelta = REOPEN_WINDOW
    other: Incident = UNOPENED
    """The incident that a merge names."""
    alert: KnownAlert | None = None
    """The alert that an order names, when it exists."""
    change_title: str = ""
    """What the change is called that an order names; empty when there is none."""
    review_published: bool = False
    unowned_actions: tuple[str, ...] = ()
    """Agreed actions that are open and that nobody owns."""
    over_at: datetime | None = None
    """When a new incident was over, if it is declared afterwards."""
    history: tuple[Recorded, ...] = ()
    """Everything that the incident's stream holds, for a correction."""
    linked: tuple[Recorded, ...] = ()
    """What its pages tell, for the correction of a notification."""
    retracted: Recorded | None = None
    """The event that is to be taken back, when it is one of this incident."""

    def said(self, fact: Fact) -> Event:
        """A fact as it would follow from this order, to see what it leads to."""
        return Event(id="", fact=fact, happened_at=self.happened_at, source="", actor=self.actor)

    def clock_time(self, moment: datetime) -> str:
        """A time in words: ``14:07 UTC``, with its date unless that is today's."""
        day = "" if moment.date() == self.now.date() else f" on {moment:%Y-%m-%d}"
        return f"{moment:%H:%M} UTC{day}"

    def in_words(self, deed: Deed) -> str:
        """``bob resolved it at 14:07 UTC``. People stand as their ids; whoever shows it puts their names in."""
        return f"{deed.actor} {deed.did} at {self.clock_time(deed.at)}"

    def refused(
        self,
        asked: str,
        *,
        because: str,
        instead: str,
        code: Literal["invalid", "not_found", "not_allowed"] = "not_allowed",
    ) -> CommandRefused:
        """A refusal about this incident; ``asked`` completes *Cannot … INC-42*."""
        return CommandRefused(f"Cannot {asked} {self.incident_id}", because=because, instead=instead, code=code)


def require_open(incident: Incident, asked: str, about: Circumstances, also: frozenset[Phase] = frozenset()) -> None:
    """Refuse what needs an open incident, or one in the phases that are named as well.

    Raises:
        CommandRefused: the incident is in another phase.
    """
    if not incident.is_open and incident.phase not in also:
        raise wrong_phase(incident, asked, about)


def wrong_phase(incident: Incident, asked: str, about: Circumstances) -> CommandRefused:
    """The refusal of what this phase does not allow: what brought the incident here, and the way out."""
    if incident.deed is None:
        return about.refused(
            asked, because=f"there is no {about.incident_id}", instead="`recount list` shows all", code="not_found"
        )
    return about.refused(asked, because=about.in_words(incident.deed), instead=_way_out(incident))


def _way_out(incident: Incident) -> str:
    match incident.phase:
        case "triage":
            return "declare it first, or dismiss it"
        case "active":
            return "it is active: contain, eradicate, resolve, dismiss or merge it"
        case "contained" | "eradicated":
            return f"it is {incident.phase}: resolve it, or say that it regressed"
        case "resolved":
            return "reopen it first, or close it"
        case "closed":
            return "reopen it first"
        case "dismissed":
            return "reinstate it first"
        case "merged":
            return f"ask it of {incident.merged_into}, or unmerge this one first"
        case _:
            return "declare it first"
