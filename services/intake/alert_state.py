"""What is known about one alert, folded from its stream."""

from datetime import datetime
from typing import Literal

import msgspec

from events.alert import (
    AlertAcknowledged,
    AlertCleared,
    AlertClearedUnseen,
    AlertFired,
    AlertHeld,
    AlertNoted,
    AlertPassedOver,
    AlertSeverity,
    AlertSnoozed,
    AlertUpdated,
)
from events.recorded import Recorded

# Silences and inhibition rules that hold one alert back at the same time are a few.
NOTES_KEPT_MAX = 20

Status = Literal["unknown", "firing", "acknowledged", "cleared"]


class Unseen(msgspec.Struct, frozen=True):
    """A clearing whose firing has not arrived."""

    started_at: datetime | None
    happened_at: datetime
    ended_at: datetime | None
    receipt_seq: int
    after_seq: int
    """The newest clearing that was known before it: what fired earlier is another matter."""


class AlertState(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. Positions are those of receipts in INTAKE, 0 for none."""

    status: Status = "unknown"
    occurrence: int = 0
    """How many times it fired; the number of the present or last firing."""
    title: str = ""
    severity: AlertSeverity = "unknown"
    started_at: datetime | None = None
    """When the sender says that the present or last occurrence began."""
    ended_at: datetime | None = None
    """When the sender says that it last stopped."""
    fired_seq: int = 0
    """The receipt that the present or last firing came with."""
    content_seq: int = 0
    """The newest receipt of a firing that left a fact, which title and severity came with."""
    content_at: datetime | None = None
    """When that happened."""
    cleared_seq: int = 0
    """The newest receipt of a clearing."""
    fired: AlertFired | None = None
    """The fact of the present or last firing."""
    unseen: Unseen | None = None
    notes: tuple[str, ...] = ()
    """What was written about this occurrence, the last `NOTES_KEPT_MAX`."""

    @property
    def was_seen_again(self) -> bool:
        """Whether it fires with a beginning that an earlier clearing already ended."""
        return (
            self.status in ("firing", "acknowledged")
            and self.started_at is not None
            and self.ended_at is not None
            and self.started_at <= self.ended_at
        )


def fold(history: list[Recorded]) -> tuple[AlertState, int]:
    """The state of an alert and the version of its stream."""
    state, version = AlertState(), 0
    for recorded in history:
        state, version = evolve(state, recorded.fact, recorded.happened_at), recorded.seq
    return state, version


def evolve(state: AlertState, fact: object, happened_at: datetime) -> AlertState:
    """The state after a fact. History is not up for debate, so it never refuses."""
    match fact:
        case AlertFired():
            return AlertState(
                status="firing",
                occurrence=fact.occurrence,
                title=fact.title,
                severity=fact.severity,
                started_at=fact.started_at,
                ended_at=state.ended_at,
                fired_seq=fact.receipt_seq,
                content_seq=fact.receipt_seq,
                content_at=happened_at,
                cleared_seq=state.cleared_seq,
                fired=fact,
            )
        case AlertUpdated():
            return msgspec.structs.replace(
                state,
                title=fact.title,
                severity=fact.severity,
                content_seq=max(state.content_seq, fact.receipt_seq),
                content_at=happened_at,
            )
        case AlertAcknowledged():
            return msgspec.structs.replace(state, status="acknowledged")
        case AlertCleared():
            return msgspec.structs.replace(
                state,
                status="cleared",
                ended_at=_later(state.ended_at, fact.ended_at),
                cleared_seq=max(state.cleared_seq, fact.receipt_seq),
            )
        case AlertClearedUnseen():
            return msgspec.structs.replace(
                state,
                status="cleared",
                ended_at=_later(state.ended_at, fact.ended_at),
                cleared_seq=max(state.cleared_seq, fact.receipt_seq),
                unseen=Unseen(fact.started_at, happened_at, fact.ended_at, fact.receipt_seq, state.cleared_seq),
            )
        case AlertNoted():
            return msgspec.structs.replace(state, notes=(*state.notes, fact.text)[-NOTES_KEPT_MAX:])
        case AlertPassedOver() | AlertHeld() | AlertSnoozed():
            return state
        case _:
            raise AssertionError(f"{type(fact).__name__} is no fact about an alert")


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
