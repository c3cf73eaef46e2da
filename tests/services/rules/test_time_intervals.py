"""Time intervals: Alertmanager's ranges, on the wall clock of a zone, and the moment at which they change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import BadConfiguration
from services.rules.time_intervals import TimeInterval, awake_again, muted_by, parse_entry

BERLIN = "Europe/Berlin"


def interval(*entries: dict[str, Any], zone: str = "UTC", name: str = "it") -> TimeInterval:
    return TimeInterval(name=name, entries=tuple(parse_entry(entry, zone) for entry in entries))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("entry", "moment", "within"),
    [
        # The end of a time is not within it; 24:00 is the end of the day.
        ({"times": ["09:00-17:00"]}, "2026-03-02T09:00", True),
        ({"times": ["09:00-17:00"]}, "2026-03-02T16:59:59", True),
        ({"times": ["09:00-17:00"]}, "2026-03-02T17:00", False),
        ({"times": ["22:00-24:00"]}, "2026-03-02T23:59:59", True),
        ({"times": [{"start_time": "09:00", "end_time": "17:00"}]}, "2026-03-02T12:00", True),
        ({"weekdays": ["monday:friday"]}, "2026-03-06T12:00", True),
        ({"weekdays": ["monday:friday"]}, "2026-03-07T12:00", False),
        ({"weekdays": ["Sunday", "saturday"]}, "2026-03-08T12:00", True),
        ({"weekdays": ["sunday:tuesday"]}, "2026-03-03T12:00", True),
        # Days of the month from its end; a range is cut at the end of a month, and skipped when it begins after it.
        ({"days_of_month": ["-1"]}, "2026-02-28T12:00", True),
        ({"days_of_month": ["-1"]}, "2028-02-28T12:00", False),
        ({"days_of_month": ["-3:-1"]}, "2026-04-27T12:00", False),
        ({"days_of_month": ["-3:-1"]}, "2026-04-28T12:00", True),
        ({"days_of_month": ["29:31"]}, "2026-02-28T12:00", False),
        ({"days_of_month": ["28:31"]}, "2026-02-28T12:00", True),
        ({"days_of_month": ["1:-1"]}, "2026-02-14T12:00", True),
        ({"days_of_month": [1, "15"]}, "2026-02-15T12:00", True),
        ({"months": ["1:3", "december"]}, "2026-03-15T12:00", True),
        ({"months": ["may:august"]}, "2026-04-30T23:59", False),
        ({"years": ["2025:2026"]}, "2026-12-31T23:59", True),
        ({"years": [2027]}, "2026-12-31T23:59", False),
        # Every field must fit.
        ({"weekdays": ["monday"], "times": ["09:00-17:00"]}, "2026-03-03T12:00", False),
        ({}, "2026-03-03T12:00", True),
    ],
)
def test_a_moment_lies_within_as_in_alertmanager(entry: dict[str, Any], moment: str, within: bool):
    assert interval(entry).has(at(moment)) is within


def test_one_entry_is_enough():
    night = interval({"times": ["22:00-24:00"]}, {"times": ["00:00-06:00"]})
    assert night.has(at("2026-03-02T23:00"))
    assert night.has(at("2026-03-02T05:59"))
    assert not night.has(at("2026-03-02T12:00"))


def test_times_are_read_in_the_zone_of_the_interval_or_of_the_entry():
    entry = {"times": ["09:00-17:00"]}
    assert interval(entry, zone="Asia/Tokyo").has(at("2026-03-02T00:30"))
    assert interval(entry | {"location": "Asia/Tokyo"}, zone=BERLIN).has(at("2026-03-02T00:30"))
    assert not interval(entry, zone=BERLIN).has(at("2026-03-02T00:30"))


def test_an_interval_changes_on_the_wall_clock_whatever_the_season():
    hours = interval({"times": ["09:00-17:00"]}, zone=BERLIN)
    assert hours.next_change(at("2026-03-28T12:00")) == at("2026-03-28T17:00", BERLIN)
    assert hours.next_change(at("2026-03-28T20:00")) == at("2026-03-29T07:00")
    assert hours.next_change(at("2026-10-24T20:00")) == at("2026-10-25T08:00")


def test_a_time_that_the_clock_leaps_over_does_not_come():
    entry = interval({"times": ["02:15-02:45"]}, zone=BERLIN)
    assert entry.next_change(at("2026-03-28T12:00")) == at("2026-03-30T02:15", BERLIN)


def test_an_interval_that_the_clock_leaps_into_begins_with_the_leap():
    entry = interval({"times": ["02:30-04:00"]}, zone=BERLIN)
    assert entry.next_change(at("2026-03-28T12:00")) == at("2026-03-29T01:00")


def test_a_time_that_comes_twice_is_within_twice():
    entry = interval({"times": ["02:15-02:45"]}, zone=BERLIN)
    changes = [at("2026-10-24T22:00")]
    for _ in range(4):
        change = entry.next_change(changes[-1])
        assert change is not None
        changes.append(change)
    assert changes[1:] == [at(f"2026-10-25T{time}") for time in ("00:15", "00:45", "01:15", "01:45")]


def test_what_never_changes_has_no_next_change():
    assert interval({}).next_change(at("2026-03-02T12:00")) is None
    assert interval({"years": [2024]}).next_change(at("2026-03-02T12:00")) is None


def test_the_leap_day_is_found():
    leap = interval({"days_of_month": ["29"], "months": ["february"]})
    assert leap.next_change(at("2026-03-02T12:00")) == at("2028-02-29T00:00")


def test_a_route_is_muted_within_its_mute_times_and_outside_its_active_ones():
    night, hours = (
        interval({"times": ["00:00-06:00"]}, name="night"),
        interval({"times": ["05:00-20:00"]}, name="hours"),
    )
    assert muted_by([night], [], at("2026-03-02T03:00")) == "night"
    assert muted_by([night], [hours], at("2026-03-02T05:30")) == "night"
    assert muted_by([night], [hours], at("2026-03-02T06:00")) is None
    assert muted_by([], [hours], at("2026-03-02T20:00")) == "hours"
    assert awake_again([night], [hours], at("2026-03-02T20:00")) == at("2026-03-03T06:00")
    assert awake_again([interval({})], [], at("2026-03-02T20:00")) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"times": ["17:00-09:00"]}, "over midnight are two"),
        ({"times": ["9-17"]}, "expected a time of day"),
        ({"times": ["09:00-24:01"]}, "between 00:00 and 24:00"),
        ({"times": ["09:60-10:00"]}, "between 00:00 and 24:00"),
        ({"times": "09:00-17:00"}, "expected a list of at least one"),
        ({"times": []}, "expected a list of at least one"),
        ({"weekdays": ["friday:monday"]}, "a week begins with sunday"),
        ({"weekdays": ["mon"]}, "expected a weekday such as monday"),
        ({"weekdays": [1]}, "expected a weekday"),
        ({"months": ["13"]}, "expected a month"),
        ({"months": ["may:april"]}, "the first month comes after the last"),
        ({"days_of_month": ["0"]}, "expected days from 1 to 31"),
        ({"days_of_month": ["32"]}, "expected days from 1 to 31"),
        ({"days_of_month": ["5:1"]}, "comes after the last"),
        ({"days_of_month": ["-1:5"]}, "must be negative when the first is"),
        ({"years": ["2027:2026"]}, "expected a year"),
        ({"weekday": ["monday"]}, "unknown field weekday"),
        ({"location": "Berlin"}, "expected an IANA time zone"),
        ("monday", "expected a table"),
    ],
)
def test_what_is_no_interval_is_refused(entry: Any, said: str):
    with pytest.raises(BadConfiguration, match=said):
        parse_entry(entry, "UTC")


minutes = st.integers(0, 24 * 60)
times = (
    st.tuples(minutes, minutes)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: f"{pair[0] // 60:02}:{pair[0] % 60:02}-{pair[1] // 60:02}:{pair[1] % 60:02}")
)
days = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
entries = st.fixed_dictionaries(
    {},
    optional={
        "times": st.lists(times, min_size=1, max_size=2),
        "weekdays": st.lists(st.sampled_from(days), min_size=1, max_size=3),
        "days_of_month": st.lists(st.sampled_from(["1", "15:20", "-1", "28:31"]), min_size=1, max_size=2),
    },
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"])


@settings(deadline=None)  # the first look into a time zone reads a file
@given(st.lists(st.tuples(entries, zones), min_size=1, max_size=2), moments)
def test_nothing_changes_before_the_next_change_and_it_changes_then(found, moment):
    it = interval(*(entry | {"location": zone} for entry, zone in found))
    change = it.next_change(moment)
    if change is None:
        return
    assert change > moment
    assert it.has(change) is not it.has(moment)
    assert it.has(change - timedelta(minutes=1)) is it.has(moment) or change - timedelta(minutes=1) < moment
    for part in range(1, 40):
        between = moment + (change - moment) * part / 40
        assert it.has(between) is it.has(moment), between
