"""The view ``dead_letters``: what was set aside."""

from events.audit import DeadLetterRecorded, DeadLetterReplayed
from tests.spec import given, moment, stream

LETTER = DeadLetterRecorded(
    service="intake", source_stream="INTAKE", source_seq=7, source_subject="intake.json", error="no title", attempts=1
)
FAILED_AGAIN = DeadLetterReplayed(outcome="failed_again", error="still no title")
HANDLED = DeadLetterReplayed(outcome="handled")


def test_a_dead_letter_waits_until_a_replay_succeeds():
    given(
        stream("deadletter.d1", LETTER, at="09:01"),
        stream("deadletter.d2", LETTER, DeadLetterReplayed(outcome="failed_again", error="still no title")),
        stream(
            "deadletter.d3", LETTER, DeadLetterReplayed(outcome="failed_again"), DeadLetterReplayed(outcome="handled")
        ),
    ).view("dead_letters").shows(
        {"dead_letter_id": "d1", "state": "waiting", "error": "no title", "source_seq": 7, "service": "intake"},
        {
            "dead_letter_id": "d2",
            "state": "failed_again",
            "error": "still no title",
            "source_seq": 7,
            "service": "intake",
        },
        {"dead_letter_id": "d3", "state": "handled", "error": "no title", "source_seq": 7, "service": "intake"},
    )


def test_it_names_where_the_message_lies():
    given(stream("deadletter.d1", LETTER, at="09:01")).view("dead_letters").shows(
        {
            "source_stream": "INTAKE",
            "source_subject": "intake.json",
            "recorded_at": moment("09:01").replace(second=2),
        }
    )
