"""The view ``source_silence``: who is silent for longer than usual."""

from datetime import UTC, datetime, timedelta

from events.ledger import ReceiptsCounted, SourceCount
from tests.spec import MORNING, given, moment, stream


def _counts(source: str, minutes: list[int]) -> list[ReceiptsCounted]:
    """One payload at each of some minutes after nine."""
    return [ReceiptsCounted(first_seq=1, last_seq=1, sources=(_count(source, minute),)) for minute in minutes]


def _count(source: str, minute: int) -> SourceCount:
    at: datetime = MORNING.astimezone(UTC) + timedelta(minutes=minute)
    return SourceCount(source=source, integration="key-a", received=1, received_bytes=2, first_at=at, last_at=at)


def test_a_source_is_silent_for_longer_than_it_usually_is():
    # Every 5 minutes, but for one pause of an hour, which was an outage; then nothing until 11:30.
    minutes = [*range(-120, 0, 10), *range(60, 70, 5)]
    given(
        stream("ledger.received", *_counts("alertmanager", minutes), at="10:05"),
        stream("ledger.received", *_counts("backup", [-60, 0]), at="10:06"),
        stream("ledger.received", *_counts("json", [150]), at="11:30"),
    ).view("source_silence").shows(
        {
            "source": "alertmanager",
            "last_at": moment("10:05"),
            "usual_gap_s": 600,
            "silent_s": 85 * 60 + 2,
            "is_unusual": True,
        },
        {"source": "backup", "last_at": moment("09:00"), "usual_gap_s": None, "is_unusual": False},
        {"source": "json", "last_at": moment("11:30"), "silent_s": 2, "is_unusual": False},
    )
