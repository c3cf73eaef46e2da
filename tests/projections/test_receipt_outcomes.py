"""The view ``receipt_outcomes``: what became of a receipt that something names."""

from events.audit import DeadLetterRecorded, DeadLetterReplayed, KeyUsed
from events.change import ChangeRecorded
from events.heartbeat import HeartbeatReturned
from tests.spec import given, stream

HANDLED = DeadLetterReplayed(outcome="handled")


def _letter(seq: int, error: str) -> DeadLetterRecorded:
    return DeadLetterRecorded(
        service="intake", source_stream="INTAKE", source_seq=seq, source_subject="intake.json", error=error, attempts=1
    )


def _change(seq: int) -> ChangeRecorded:
    return ChangeRecorded(integration="key-a", sender="json", external_id="1", title="deployed", receipt_seq=seq)


def test_each_receipt_has_one_outcome():
    given(
        stream("change.c", _change(1), _change(2), _change(6)),
        stream("heartbeat.h", HeartbeatReturned(receipt_seq=3)),
        stream("key.k", KeyUsed(receipt_seq=9)),
        stream("deadletter.d1", _letter(4, "InvalidPayload: no title")),
        stream("deadletter.d2", _letter(5, "InvalidEvent: too large")),
        stream("deadletter.d3", _letter(6, "InvalidEvent: one of its alerts is too large")),
        stream("deadletter.d4", _letter(2, "InvalidPayload: no title"), HANDLED),
        stream("deadletter.d5", _letter(7, "InvalidPayload: no title"), HANDLED),
    ).view("receipt_outcomes").shows(
        {"receipt_seq": 1, "outcome": "facts"},
        {"receipt_seq": 2, "outcome": "facts"},
        {"receipt_seq": 3, "outcome": "facts"},
        {"receipt_seq": 4, "outcome": "refused"},
        {"receipt_seq": 5, "outcome": "dead"},
        {"receipt_seq": 6, "outcome": "dead"},
        {"receipt_seq": 7, "outcome": "duplicate"},
    )


def test_what_another_service_set_aside_is_no_receipt():
    letter = DeadLetterRecorded(
        service="oncall", source_stream="EVENTS", source_seq=4, source_subject="evt.x", error="x", attempts=7
    )
    given(stream("deadletter.d1", letter)).view("receipt_outcomes").shows()
