"""Silences as the rules see them: matchers that hold alerts back for a time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from events.silence import SilenceChanged, SilenceCreated, SilenceEnded, SilenceFact, SilenceHeldAlert
from services.rules.matchers import Matchers, all_fit, parse_all

SilenceState = Literal["pending", "active", "ended"]


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """One silence, as it is now."""

    silence_id: str
    matchers: Matchers
    starts_at: datetime
    ends_at: datetime
    """When it ends; the moment at which somebody ended it, if that was before."""
    reason: str = ""

    def state_at(self, moment: datetime) -> SilenceState:
        """Whether it has begun and not ended; its last moment is not within it."""
        if moment >= self.ends_at:
            return "ended"
        return "active" if moment >= self.starts_at else "pending"

    def holds(self, labels: Mapping[str, str], moment: datetime) -> bool:
        """Whether it holds back an alert with these labels at a moment."""
        return self.state_at(moment) == "active" and all_fit(self.matchers, labels)


def silence_after(silence: Silence | None, silence_id: str, fact: SilenceFact, happened_at: datetime) -> Silence | None:
    """The silence after one more fact of its stream; None before it was created."""
    match fact:
        case SilenceCreated():
            return Silence(
                silence_id=silence_id,
                matchers=parse_all(fact.matchers),
                starts_at=fact.starts_at,
                ends_at=fact.ends_at,
                reason=fact.reason,
            )
        case SilenceChanged() if silence is not None:
            return msgspec.structs.replace(silence, starts_at=fact.starts_at, ends_at=fact.ends_at, reason=fact.reason)
        case SilenceEnded() if silence is not None:
            return msgspec.structs.replace(silence, ends_at=min(silence.ends_at, happened_at))
        case SilenceHeldAlert() | _:
            return silence


def last_to_end(silences: Iterable[Silence], labels: Mapping[str, str], moment: datetime) -> Silence | None:
    """Of the silences that hold an alert back, the one that lasts longest; None when none does."""
    holding = [silence for silence in silences if silence.holds(labels, moment)]
    return max(holding, key=lambda silence: (silence.ends_at, silence.silence_id), default=None)
