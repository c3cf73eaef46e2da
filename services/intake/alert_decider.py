"""Deciding what a signal changes about an alert. Pure.

Payloads arrive twice, late and in any order, so a signal is compared with what is known by the best clock there is:

* **The sender's clock**, where a firing says when it began and a clearing when it stopped (Alertmanager). A firing that
  began at or before the last stop is old news, however late it arrives. A stop clears every firing that began before
  it, also when the two copies of a sender disagree by seconds about when that was. A later beginning while it still
  fires means that a clearing was lost: a new occurrence.
  The exception: a firing that keeps arriving long after the stop is no copy on its way but the same condition seen
  again, as when Prometheus was cut off from Alertmanager and came back with the old beginning.
* **The order of arrival** otherwise: the position of the receipt in INTAKE, which redelivery does not change.

Either way what is old news is not told: when every payload of an occurrence waits somewhere until a newer firing is
told, or the end of a newer one, that occurrence is missing. Whether the alert fires now is always right.

When in doubt an alert fires: paging twice is better than never.
"""

from datetime import datetime, timedelta

import msgspec

from events.alert import (
    AlertAcknowledged,
    AlertCleared,
    AlertClearedUnseen,
    AlertFact,
    AlertFired,
    AlertNoted,
    AlertSnoozed,
    AlertUpdated,
)
from services.intake.alert_state import AlertState
from services.intake.signal import Signal

# A sender's clock may run ahead by this much; a time further in the future is not when anything happened. The fact then
# happened when its receipt arrived, and its own field keeps what the sender said.
CLOCK_AHEAD_MAX = timedelta(minutes=5)

# A copy of a notification may still be on its way for this long after the alert stopped: Alertmanager retries one until
# the next flush of its group, 5 minutes by default, and its peers wait for each other. Later it is a firing of its own.
COPY_LATE_MAX = timedelta(minutes=15)


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How a signal came."""

    seq: int
    """Position of its receipt in INTAKE."""
    received_at: datetime
    integration: str
    sender: str
    settled: bool
    """Whether every earlier receipt has been dealt with. If not, one may still come that this signal must outlive, so a
    repeat is recorded that otherwise would not be."""


Decision = tuple[AlertFact, datetime]
"""A fact and when it happened."""


def decide(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    """What a signal changes."""
    match signal.state:
        case "firing":
            return _firing(state, signal, arrival)
        case "acknowledged":
            return _acknowledged(state, signal, arrival)
        case "resolved":
            return _resolved(state, signal, arrival)
        case "noted":
            return _noted(state, signal, arrival)
        case "snoozed":
            return _snoozed(state, signal, arrival)


def _firing(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    if state.status in ("firing", "acknowledged"):
        if signal.started_at and state.started_at and signal.started_at > state.started_at:
            return (_fired(state, signal, arrival),)
        return _repeated(state, signal, arrival)
    if state.status == "cleared" and _is_over(state, signal, arrival):
        return _cleared_before_it_fired(state, signal, arrival)
    return (_fired(state, signal, arrival),)


def _is_over(state: AlertState, signal: Signal, arrival: Arrival) -> bool:
    if signal.started_at and state.ended_at:
        is_seen_again = (
            arrival.settled
            and arrival.seq > max(state.cleared_seq, state.fired_seq)
            # What its sender noticed before the stop is old news, however late it is told.
            and min(signal.observed_at or arrival.received_at, arrival.received_at) > state.ended_at + COPY_LATE_MAX
        )
        return signal.started_at <= state.ended_at and not is_seen_again
    if signal.observed_at and state.ended_at and signal.observed_at < state.ended_at:
        # The same event sent again. Of two within one tick of the sender's clock the order of arrival decides.
        return True
    return arrival.seq < state.cleared_seq


def _cleared_before_it_fired(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    unseen = state.unseen
    if unseen is None or arrival.seq <= max(state.fired_seq, unseen.after_seq):
        return ()
    if unseen.started_at and signal.started_at and signal.started_at < unseen.started_at:
        return ()
    cleared = AlertCleared(title=signal.title, ended_at=unseen.ended_at, receipt_seq=unseen.receipt_seq)
    return (_fired(state, signal, arrival), (cleared, unseen.happened_at))


def _repeated(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    is_news = arrival.seq > state.content_seq and (signal.title, signal.severity) != (state.title, state.severity)
    # A clearing that is older than this repeat may still be under way, in another copy of the service or after a crash.
    must_outlive = not arrival.settled and signal.started_at is None and arrival.seq > state.content_seq
    if not is_news and not must_outlive:
        return ()
    updated = AlertUpdated(
        title=signal.title,
        severity=signal.severity,
        annotations=signal.annotations,
        receipt_seq=arrival.seq,
    )
    return ((updated, _said(signal.observed_at, arrival)),)


def _acknowledged(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    if state.status != "firing" or arrival.seq <= state.fired_seq:
        return ()
    return ((AlertAcknowledged(receipt_seq=arrival.seq), _said(signal.observed_at, arrival)),)


def _noted(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    if state.status == "unknown" or not signal.note or (signal.only_once and signal.note in state.notes):
        return ()
    noted = AlertNoted(text=signal.note, author=signal.author, receipt_seq=arrival.seq)
    return ((noted, _said(signal.observed_at, arrival)),)


def _snoozed(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    if state.status not in ("firing", "acknowledged") or signal.until_at is None or arrival.seq <= state.fired_seq:
        return ()
    snoozed = AlertSnoozed(until_at=signal.until_at, receipt_seq=arrival.seq)
    return ((snoozed, _said(signal.observed_at, arrival)),)


def _resolved(state: AlertState, signal: Signal, arrival: Arrival) -> tuple[Decision, ...]:
    ended_at = signal.ended_at or signal.observed_at
    if state.status in ("firing", "acknowledged"):
        cleared = (
            AlertCleared(title=state.title, ended_at=ended_at, receipt_seq=arrival.seq),
            _said(ended_at, arrival),
        )
        if state.was_seen_again:
            # The clearing before it and this one speak of the same beginning: only their order tells them apart.
            return (cleared,) if arrival.seq > state.fired_seq else ()
        if signal.ended_at and state.started_at:
            return (cleared,) if signal.ended_at >= state.started_at else ()
        if arrival.seq > state.content_seq:
            return (cleared,)
        return (cleared, _fired_again(state)) if arrival.seq > state.fired_seq else ()
    if not _is_another_clearing(state, signal, arrival):
        return ()
    unseen = AlertClearedUnseen(
        integration=arrival.integration,
        sender=arrival.sender,
        fingerprint=signal.fingerprint,
        title=signal.title,
        started_at=signal.started_at,
        ended_at=ended_at,
        receipt_seq=arrival.seq,
    )
    return ((unseen, _said(ended_at, arrival)),)


def _is_another_clearing(state: AlertState, signal: Signal, arrival: Arrival) -> bool:
    """Whether a clearing says something that is not known of an alert that does not fire."""
    if state.status == "unknown":
        return not signal.only_if_known
    if signal.started_at and state.ended_at:
        return signal.started_at > state.ended_at
    return not arrival.settled and not signal.only_if_known and arrival.seq > state.cleared_seq


def _fired(state: AlertState, signal: Signal, arrival: Arrival) -> Decision:
    fired = AlertFired(
        integration=arrival.integration,
        sender=arrival.sender,
        fingerprint=signal.fingerprint,
        occurrence=state.occurrence + 1,
        title=signal.title,
        severity=signal.severity,
        service=signal.service,
        labels=signal.labels,
        annotations=signal.annotations,
        url=signal.url,
        started_at=signal.started_at,
        receipt_seq=arrival.seq,
    )
    return (fired, _said(signal.started_at or signal.observed_at, arrival))


def _fired_again(state: AlertState) -> Decision:
    """A clearing came late, between two firings that were taken for one: the second was a new occurrence."""
    assert state.fired is not None, "an alert that fires has fired"
    assert state.content_at is not None, "and that was at some time"
    fired = msgspec.structs.replace(
        state.fired,
        occurrence=state.occurrence + 1,
        title=state.title,
        severity=state.severity,
        receipt_seq=state.content_seq,
    )
    return (fired, state.content_at)


def _said(moment: datetime | None, arrival: Arrival) -> datetime:
    if moment is None or moment > arrival.received_at + CLOCK_AHEAD_MAX:
        return arrival.received_at
    return moment
