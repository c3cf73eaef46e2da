"""Bringing one strand of tellings to another: what is the same stays, a time is corrected, the rest is told anew. Pure.

A *strand* is a sequence whose order matters: the phases of an incident, the impact on one scope. Compared from the
beginning, both agree for a while. From the first difference on, what was told is taken back, the last first, and what
is wanted is told.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from events import Fact
from events.fact import tag_of
from events.incident import EventRetracted, Milestone, MilestoneCorrected
from services.history.belief import Told


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A fact to be told, with its own time and who did it."""

    fact: Fact
    at: datetime
    earliest: datetime | None = None
    latest: datetime | None = None
    by: str = ""
    """Actor; empty: the other system itself."""
    milestone: Milestone | None = None
    """The milestone that it reaches: what its time can be corrected by."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What every telling of one snapshot shares."""

    system: str
    stream: str
    known_at: datetime
    previous_at: datetime | None
    """When the state before it was known; None for the first."""

    def sometime(self, fact: Fact, at: datetime | None = None) -> Telling:
        """A change whose time nobody told: it lies between two states."""
        if at is not None:
            return Telling(fact=fact, at=at)
        return Telling(fact=fact, at=self.known_at, earliest=self.previous_at, latest=self.known_at)

    def now(self, fact: Fact) -> Telling:
        """A correction, which is made when the other system knew better."""
        return Telling(fact=fact, at=self.known_at)

    def retract(self, told: Told, *, phase: str = "", reason: str = "") -> Telling:
        """Take back what was told."""
        return self.now(
            EventRetracted(
                event_id=told.event_id,
                event_seq=told.seq,
                event_stream=self.stream,
                event_type=tag_of(type(told.fact)),
                reason=reason or f"{self.system} no longer says so",
                phase=phase,
            )
        )

    def correct_time(self, told: Told, wanted: Telling) -> Telling:
        """Say that what was told happened at another time."""
        assert wanted.milestone is not None
        return self.now(
            MilestoneCorrected(
                milestone=wanted.milestone,
                occurred_at=wanted.at,
                occurred_earliest_at=wanted.earliest,
                occurred_latest_at=wanted.latest,
                reason=f"changed in {self.system}",
                replaces_event_id=told.event_id,
                replaces_seq=told.seq,
            )
        )


class Change(msgspec.Struct, frozen=True):
    """What brings a strand to what is wanted."""

    kept: int
    """How many tellings from the beginning stay."""
    corrections: tuple[Telling, ...]
    """To be said first, in this order."""
    tellings: tuple[Telling, ...]


Same = Callable[[Fact, Fact], bool]


def change(
    told: Sequence[Told],
    wanted: Sequence[Telling],
    about: About,
    *,
    same: Same = lambda told, wanted: told == wanted,
    phase_after: Callable[[Fact], str] = lambda fact: "",
) -> Change:
    """What brings a strand from what was told to what is wanted.

    Args:
        told: what holds, in order.
        wanted: what should hold, in order.
        about: the snapshot.
        same: whether two facts say the same; their times are compared apart.
        phase_after: the phase that a fact leads to, for what is left when a later one is taken back.
    """
    kept = 0
    for before, after in zip(told, wanted, strict=False):
        if not same(before.fact, after.fact) or not (same_time(before, after) or after.milestone):
            break
        kept += 1
    corrected = [
        about.correct_time(before, after)
        for before, after in zip(told[:kept], wanted[:kept], strict=True)
        if not same_time(before, after)
    ]
    told_again = {type(telling.fact) for telling in wanted[kept:]}
    retracted = [
        about.retract(
            told[number],
            phase=phase_after(told[number - 1].fact) if number else "",
            reason=f"changed in {about.system}" if type(told[number].fact) in told_again else "",
        )
        for number in reversed(range(kept, len(told)))
    ]
    return Change(kept, (*corrected, *retracted), tuple(wanted[kept:]))


def same_time(told: Told, wanted: Telling) -> bool:
    """Whether both say the same time, with the same bounds."""
    return (told.at, told.earliest, told.latest) == (wanted.at, wanted.earliest, wanted.latest)
