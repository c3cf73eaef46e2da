"""What a page says: enough to decide whether to get up, and no more."""

from datetime import UTC, datetime

import msgspec

from events.page import PageAttempted, PageRequested
from services.attention import Attention
from services.notifier.channel import Message
from services.notifier.message import SUBJECT_TITLE_CHARS_MAX, Links, message_for

NOW = datetime(2026, 7, 1, 14, 5, tzinfo=UTC)
ATTENTION = Attention(
    version=9,
    title="Checkout latency > 2 s",
    severity="sev1",
    service="checkout",
    began_at=datetime(2026, 7, 1, 14, 2, tzinfo=UTC),
    call_seq=1,
)
REQUESTED = PageRequested(
    incident_id="INC-42", person_id="per-ada", run=1, round=0, level=2, answer_within_s=300, target="rotation.primary"
)


def message(attention: Attention = ATTENTION, *, zone: str = "Europe/Warsaw", again: bool = False) -> Message:
    return message_for(
        "pg-1",
        REQUESTED,
        PageAttempted(channel="smtp", contact=0, attempt=3, possibly_duplicate=again),
        attention,
        Links("https://recount.example.org/ack/abc", "https://recount.example.org/incidents/INC-42"),
        zone=zone,
        now=NOW,
    )


def test_a_page_as_a_whole():
    assert message() == Message(
        id="pg-1.3",
        subject="[sev1] INC-42: Checkout latency > 2 s",
        body="""\
SEV1  INC-42  Checkout latency > 2 s

Service:  checkout
Since:    2026-07-01 16:02 Europe/Warsaw (14:02 UTC)
Level:    2, as primary
Answer:   within 5 min, or the next level is asked

Acknowledge (opens a page with one button):
https://recount.example.org/ack/abc

The incident:
https://recount.example.org/incidents/INC-42

Page pg-1, attempt 3
""",
        at=NOW,
    )


def test_a_possible_duplicate_says_so():
    assert message(again=True).body.endswith("This may be a duplicate: an earlier attempt may have reached you.\n")


def test_a_reader_in_utc_sees_the_time_once():
    assert "Since:    2026-07-01 14:02 UTC\n" in message(zone="UTC").body


def test_a_title_cannot_add_lines_to_the_header():
    forged = message(msgspec.structs.replace(ATTENTION, title="down\r\nBcc: eve@example.org\x00"))
    assert forged.subject == "[sev1] INC-42: down Bcc: eve@example.org"
    assert "down Bcc" in forged.body.splitlines()[0]


def test_a_long_title_is_cut_in_the_subject_only():
    title = "x" * 300
    long = message(msgspec.structs.replace(ATTENTION, title=title))
    assert len(long.subject) == len("[sev1] INC-42: ") + SUBJECT_TITLE_CHARS_MAX
    assert title in long.body
