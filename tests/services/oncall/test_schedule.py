"""Who is on call, also on the two days of a year on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.oncall import RotationConfigured
from services.oncall.schedule import Shift, from_wall_clock, next_change, who_is_on_call

ADA, BOB, GRACE = "per-ada", "per-bob", "per-grace"


def local(zone: str, *when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))


def rotation(zone: str, *starts: int, days: int = 7, members: tuple[str, ...] = (ADA, BOB)) -> RotationConfigured:
    return RotationConfigured(
        name="primary", zone=zone, starts_at=local(zone, *starts), shift_days=days, members=members
    )


WEEKLY = rotation("Europe/Warsaw", 2026, 1, 5, 9, 0)


def on_call(which: RotationConfigured, moment: datetime) -> str | None:
    shift = who_is_on_call(which, moment)
    return shift.person_id if shift else None


def test_members_take_turns_in_order():
    three = rotation("Europe/Warsaw", 2026, 1, 5, 9, 0, days=1, members=(ADA, BOB, GRACE))
    noons = [local("Europe/Warsaw", 2026, 1, day, 12) for day in range(5, 10)]
    assert [on_call(three, noon) for noon in noons] == [ADA, BOB, GRACE, ADA, BOB]


def test_a_shift_begins_at_its_hand_over_and_not_before():
    hand_over = local("Europe/Warsaw", 2026, 1, 12, 9, 0)
    assert on_call(WEEKLY, hand_over - timedelta(microseconds=1)) == ADA
    assert on_call(WEEKLY, hand_over) == BOB


def test_nobody_is_on_call_before_the_first_shift():
    assert on_call(WEEKLY, local("Europe/Warsaw", 2026, 1, 5, 8, 59)) is None
    assert next_change(WEEKLY, local("Europe/Warsaw", 2026, 1, 1)) == WEEKLY.starts_at


def test_a_rotation_without_members_has_nobody_and_never_changes():
    empty = rotation("Europe/Warsaw", 2026, 1, 5, 9, 0, members=())
    assert who_is_on_call(empty, WEEKLY.starts_at) is None
    assert next_change(empty, WEEKLY.starts_at) is None


def test_a_single_member_hands_over_to_themselves():
    alone = rotation("Europe/Warsaw", 2026, 1, 5, 9, 0, members=(ADA,))
    assert next_change(alone, WEEKLY.starts_at) == local("Europe/Warsaw", 2026, 1, 12, 9, 0)
    assert on_call(alone, local("Europe/Warsaw", 2026, 6, 1)) == ADA


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Warsaw", (2026, 3, 23), (2026, 3, 30)),
        ("America/New_York", (2026, 3, 2), (2026, 3, 9)),
    ],
)
def test_a_hand_over_keeps_its_wall_clock_when_the_clocks_go_forward(zone: str, before, after):
    shift = who_is_on_call(rotation(zone, *before, 9, 0), local(zone, *before, 9, 0))
    assert shift == Shift(ADA, local(zone, *before, 9, 0), local(zone, *after, 9, 0))
    assert shift.ends_at - shift.starts_at == timedelta(days=7, hours=-1)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Warsaw", (2026, 10, 19), (2026, 10, 26)),
        ("America/New_York", (2026, 10, 26), (2026, 11, 2)),
    ],
)
def test_a_hand_over_keeps_its_wall_clock_when_the_clocks_go_back(zone: str, before, after):
    shift = who_is_on_call(rotation(zone, *before, 9, 0), local(zone, *before, 9, 0))
    assert shift is not None
    assert shift.ends_at == local(zone, *after, 9, 0)
    assert shift.ends_at - shift.starts_at == timedelta(days=7, hours=1)


def test_a_zone_without_clock_changes_has_shifts_of_equal_length():
    kolkata = rotation("Asia/Kolkata", 2026, 1, 5, 9, 30)
    moment, lengths = local("Asia/Kolkata", 2026, 1, 5, 9, 30), set()
    for _week in range(52):
        shift = who_is_on_call(kolkata, moment)
        assert shift is not None
        lengths.add(shift.ends_at - shift.starts_at)
        moment = shift.ends_at
    assert lengths == {timedelta(days=7)}
    assert local("Asia/Kolkata", 2026, 1, 12, 9, 30).astimezone(UTC) == datetime(2026, 1, 12, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start", "gap_ends_at"),
    [
        ("Europe/Warsaw", (2026, 3, 28, 2, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("America/New_York", (2026, 3, 7, 2, 30), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
    ],
)
def test_a_hand_over_that_the_clocks_skip_happens_at_the_end_of_the_gap(zone: str, start, gap_ends_at):
    daily = rotation(zone, *start, days=1)
    assert next_change(daily, local(zone, *start)) == gap_ends_at
    assert on_call(daily, gap_ends_at - timedelta(seconds=1)) == ADA
    assert on_call(daily, gap_ends_at) == BOB
    following = local(zone, start[0], start[1], start[2] + 2, 2, 30)
    assert next_change(daily, gap_ends_at) == following, "the day after, 02:30 exists again"


@pytest.mark.parametrize(
    ("zone", "start", "first_time", "second_time"),
    [
        (
            "Europe/Warsaw",
            (2026, 10, 24, 2, 30),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        ),
        (
            "America/New_York",
            (2026, 10, 31, 1, 30),
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        ),
    ],
)
def test_a_hand_over_that_occurs_twice_happens_the_first_time(zone: str, start, first_time, second_time):
    daily = rotation(zone, *start, days=1)
    assert next_change(daily, local(zone, *start)) == first_time
    assert on_call(daily, first_time - timedelta(seconds=1)) == ADA
    assert on_call(daily, first_time) == BOB
    assert on_call(daily, second_time) == BOB, "nobody hands over twice in one night"


def test_a_day_that_a_country_skipped_hands_over_at_its_end():
    # Samoa crossed the date line and had no 30 December 2011.
    assert from_wall_clock(date(2011, 12, 30), time(9, 0), ZoneInfo("Pacific/Apia")) == datetime(
        2011, 12, 30, 10, 0, tzinfo=UTC
    )


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    starts=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    days=st.integers(1, 14),
    later_s=st.integers(0, 40_000_000),
)
@settings(max_examples=300, deadline=None)
def test_everywhere_and_always_exactly_one_shift_covers_a_moment(zone: str, starts: datetime, days: int, later_s: int):
    which = RotationConfigured(
        name="r",
        zone=zone,
        starts_at=starts.replace(tzinfo=UTC),
        shift_days=days,
        members=(ADA, BOB, GRACE),
    )
    moment = which.starts_at + timedelta(seconds=later_s)
    shift = who_is_on_call(which, moment)
    assert shift is not None
    assert shift.starts_at <= moment < shift.ends_at
    following = who_is_on_call(which, shift.ends_at)
    assert following is not None
    assert following.starts_at == shift.ends_at == next_change(which, moment)
    members = (ADA, BOB, GRACE)
    assert members.index(following.person_id) == (members.index(shift.person_id) + 1) % 3
