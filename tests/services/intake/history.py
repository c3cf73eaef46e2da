"""One alert's life in tests: signals that arrive at positions of INTAKE, and the state that they leave."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from events import Event, Fact, Recorded
from services.intake.alert_decider import Arrival, decide
from services.intake.alert_state import AlertState, evolve
from services.intake.signal import Signal

TWO_O_CLOCK = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """So many minutes after two o'clock."""
    return TWO_O_CLOCK + timedelta(minutes=minutes)


def arrival(seq: int, *, settled: bool = True) -> Arrival:
    """A receipt arrives a minute after the one before it."""
    return Arrival(seq=seq, received_at=at(seq), integration="key-alertmanager", sender="alertmanager", settled=settled)


def firing(**fields) -> Signal:
    """The sender says that checkout's alert fires."""
    return Signal(state="firing", fingerprint="checkout-5xx", **{"title": "CheckoutDown", **fields})


def resolved(**fields) -> Signal:
    """The sender says that it is over."""
    return Signal(state="resolved", fingerprint="checkout-5xx", **{"title": "CheckoutDown", **fields})


def acknowledged(**fields) -> Signal:
    """The sender says that somebody has it in hand."""
    return Signal(state="acknowledged", fingerprint="checkout-5xx", **fields)


class Alert:
    """An alert that takes what arrives, as the translator would."""

    def __init__(self) -> None:
        self.state = AlertState()
        self.facts: list[Fact] = []
        self.times: list[datetime] = []

    def take(self, seq: int, signal: Signal, *, settled: bool = True) -> list[str]:
        """The names of the facts that a signal leads to."""
        said = decide(self.state, signal, arrival(seq, settled=settled))
        for fact, happened_at in said:
            self.state = evolve(self.state, fact, happened_at)
            self.facts.append(fact)
            self.times.append(happened_at)
        return [type(fact).__name__.removeprefix("Alert") for fact, _ in said]


def after(*signals: Signal) -> Alert:
    """An alert that took signals in order, from position 1 on."""
    alert = Alert()
    for seq, signal in enumerate(signals, start=1):
        alert.take(seq, signal)
    return alert


def in_some_order(signals: list[Signal], order: Iterable[int]) -> Alert:
    """An alert that took the signals in another order, some of them repeatedly; `order` holds positions."""
    alert = Alert()
    handled: set[int] = set()
    for seq in order:
        alert.take(seq, signals[seq - 1], settled=all(earlier in handled for earlier in range(1, seq)))
        handled.add(seq)
    return alert


def recorded(seq: int, fact: Fact, *, happened_at: datetime = TWO_O_CLOCK) -> Recorded:
    """A fact in the stream of the alert."""
    event = Event(id=f"event-{seq}", fact=fact, happened_at=happened_at, source="recount/test")
    return Recorded(seq=seq, stream="alert.checkout", recorded_at=happened_at, event=event)
