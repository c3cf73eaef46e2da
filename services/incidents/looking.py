"""What an event makes the service look at: an alert that fires, or alerts that may not be held back any longer."""

from datetime import datetime

import msgspec

from events import EventLog, Recorded
from events.alert import AlertCleared, AlertClearedUnseen, AlertFired, AlertHeld, AlertUpdated
from events.fact import name_of
from events.inhibition import InhibitionHeldAlert, InhibitionSourceCleared
from events.rules import RulesPublished
from events.silence import SilenceChanged, SilenceEnded, SilenceHeldAlert
from events.subjects import split
from events.timer import TimerFired

HOLD_PURPOSE = "alert_hold"
SILENCE_PURPOSE = "silence_end"
# Positions of the log. New rules are held against what is held back and what fires, as far back as this, which takes a
# second or two and some ten megabytes; an alert that has been firing for longer meets them when it fires again, and one
# that has been held back for longer when what holds it back ends.
LOOK_BACK_POSITIONS = 50_000

HEARS = (
    "evt.alert.*.fired",
    "evt.alert.*.updated",
    "evt.alert.*.cleared",
    "evt.alert.*.cleared_unseen",
    "evt.silence.*.changed",
    "evt.silence.*.ended",
    "evt.inhibition.*.source_cleared",
    "evt.rules.*.published",
    "evt.timer.>",
)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One alert to look at."""

    alert_key: str
    seq: int = 0
    """Position of the event whose occurrence is meant; 0 for the newest."""
    begins: bool = False
    """Whether the event at this position is the firing itself, before which nothing matters."""
    decides: bool = True
    """Whether it may be placed or held back; otherwise only what it means for others matters."""
    held_only: bool = False
    """Only if it is held back."""
    not_before: datetime | None = None
    """A moment that has come, whatever our clock says."""

    @property
    def thoroughness(self) -> tuple[bool, bool]:
        """Looks of the same occurrence compared."""
        return self.decides, not self.held_only


async def looks(log: EventLog, event: Recorded) -> list[Look]:
    """The alerts that an event makes us look at.

    Raises:
        LogUnavailable: no answer.
    """
    identifier = split(event.stream)[1]
    match event.fact:
        case AlertFired():
            return [Look(alert_key=identifier, seq=event.seq, begins=True)]
        case AlertUpdated():
            return [Look(alert_key=identifier, seq=event.seq)]
        case AlertCleared() | AlertClearedUnseen():
            return [Look(alert_key=identifier, decides=False)]
        case SilenceChanged() | SilenceEnded() | InhibitionSourceCleared():
            return await _held_by(log, event.stream, event.happened_at)
        case RulesPublished(text=text):
            return await _since(log, event.seq - LOOK_BACK_POSITIONS, inhibits="inhibit" in text)
        case TimerFired(purpose=purpose, about=about, due_at=due_at):
            if purpose == HOLD_PURPOSE:
                return [Look(alert_key=split(about)[1], held_only=True, not_before=due_at)]
            return await _held_by(log, about, due_at) if purpose == SILENCE_PURPOSE else []
        case _:
            return []


async def _held_by(log: EventLog, stream: str, moment: datetime) -> list[Look]:
    held = [past.fact for past in await log.read(stream)]
    keys = [fact.alert_key for fact in held if isinstance(fact, SilenceHeldAlert | InhibitionHeldAlert)]
    return [Look(alert_key=key, held_only=True, not_before=moment) for key in dict.fromkeys(keys)]


async def _since(log: EventLog, position: int, *, inhibits: bool) -> list[Look]:
    # Only inhibition asks who fires.
    fired = await log.read_named("alert", name_of(AlertFired), after=max(position, 0)) if inhibits else []
    held = await log.read_named("alert", name_of(AlertHeld), after=max(position, 0))
    # Those that fire first: they may hold others back.
    found = [Look(alert_key=split(stream)[1], decides=False) for stream in dict.fromkeys(past.stream for past in fired)]
    again = dict.fromkeys(past.stream for past in held)
    return [*found, *(Look(alert_key=split(stream)[1], held_only=True) for stream in again)]
