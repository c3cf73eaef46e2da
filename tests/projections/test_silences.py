"""The view ``silences``: how long each lasts, who made it, and what it held back."""

from datetime import UTC, datetime

from events.silence import SilenceChanged, SilenceCreated, SilenceEnded, SilenceHeldAlert
from tests.spec import ADA, BOB, MORNING, given, moment, stream


def at(clock_time: str) -> datetime:
    return moment(clock_time).replace(tzinfo=UTC)


CREATED = SilenceCreated(
    matchers=('service="checkout"', 'team=~"a|b"'), starts_at=MORNING, ends_at=at("11:00"), reason="moving house"
)


def test_a_silence_shows_until_when_it_lasts_and_who_made_it():
    given(stream("silence.sil-1", CREATED, at="09:00", by=ADA)).view("silences").shows(
        {
            "silence_id": "sil-1",
            "matchers": ['service="checkout"', 'team=~"a|b"'],
            "starts_at": moment("09:00"),
            "ends_at": moment("11:00"),
            "reason": "moving house",
            "created_by": ADA,
            "created_at": moment("09:00"),
            "ended_at": None,
            "held_ever": 0,
            "held_last_at": None,
        }
    )


def test_a_change_moves_its_end():
    changed = SilenceChanged(starts_at=MORNING, ends_at=at("12:00"), reason="more boxes")
    given(stream("silence.sil-1", CREATED, changed, by=ADA)).view("silences").shows(
        {"silence_id": "sil-1", "ends_at": moment("12:00"), "reason": "more boxes", "ended_at": None}
    )


def test_whoever_ends_it_early_is_told_and_an_end_after_its_time_changes_nothing():
    given(
        stream("silence.sil-1", CREATED, by=ADA),
        stream("silence.sil-1", SilenceEnded(reason="done"), at="10:00", by=BOB),
        stream("silence.sil-2", CREATED, by=ADA),
        stream("silence.sil-2", SilenceEnded(), at="11:30", by=BOB),
    ).view("silences").shows(
        {"silence_id": "sil-1", "ends_at": moment("10:00"), "ended_by": BOB, "ended_reason": "done"},
        {"silence_id": "sil-2", "ends_at": moment("11:00"), "ended_by": BOB, "ended_reason": None},
    )


def test_alerts_that_it_held_back_are_counted_once_each():
    given(
        stream("silence.sil-1", CREATED, at="09:00"),
        stream(
            "silence.sil-1",
            SilenceHeldAlert(alert_key="a1", occurrence=1),
            SilenceHeldAlert(alert_key="a2", occurrence=1),
            SilenceHeldAlert(alert_key="a1", occurrence=2),
            at="09:30",
        ),
    ).view("silences").shows({"silence_id": "sil-1", "held_ever": 2, "held_last_at": moment("09:30")})
