"""Figures in words: two units, ``NR`` for what is not reached, and why the rest is absent."""

import pytest

from projections.figures.counted import BY_NAME, Counted, counted_of
from projections.figures.figure import NOT_REACHED, Estimate
from projections.figures.words import (
    basis,
    counts,
    duration,
    interval,
    percent,
    share,
    share_interval,
    value,
    values,
    why_absent,
)
from tests.figures.story import MINUTE, lasted, lasting, the_figure

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [
        (0, "0 s"),
        (250_000, "250 ms"),
        (200, "1 ms"),
        (42 * SECOND, "42 s"),
        (59_600_000, "1 min"),
        (125 * SECOND, "2 min 5 s"),
        (3_600 * SECOND, "1 h"),
        (3_659 * SECOND, "1 h 1 min"),
        (7_199 * SECOND, "2 h"),
        (26 * 3_600 * SECOND, "1 d 2 h"),
        (86_399 * SECOND, "1 d"),
        (-4 * MINUTE, "-4 min"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(microseconds: int, words: str):
    assert duration(microseconds) == words


def test_what_is_not_reached_is_nr_and_what_cannot_be_said_a_dash_with_its_reason():
    few = "an upper end needs 36 measured, there are 8"
    estimate = Estimate(low_us=MINUTE, absent=NOT_REACHED, high_absent=few)
    assert (value(estimate), interval(estimate), why_absent(estimate)) == ("NR", "1 min to –", few)
    assert interval(Estimate(value_us=1, low_absent=few, high_absent=few)) == ""
    assert interval(Estimate(value_us=1, low_us=MINUTE, high_absent=NOT_REACHED)) == "1 min to NR"


def test_few_values_are_listed_with_those_that_are_not_over():
    assert values(the_figure(lasted(3, 7), lasting(5))) == "3 min, 7 min, more than 5 min (not over)"


def proportion_of(part: int, whole: int) -> Counted:
    return counted_of(BY_NAME["relapse_rate"], "", part, whole)


def test_a_share_that_is_neither_nothing_nor_all_is_not_rounded_to_it():
    assert (share(proportion_of(0, 1_961)), share_interval(proportion_of(0, 1_961))) == ("0 %", "0 % to 0.2 %")
    assert share_interval(proportion_of(1_961, 1_961)) == "99.8 % to 100 %"
    assert (percent(0.0001), percent(0.9999), percent(0.42)) == ("< 0.1 %", "> 99.9 %", "42 %")


def test_a_rate_for_thirty_days_is_not_told_of_some_minutes():
    minutes = counted_of(BY_NAME["failure_rate"], "", 1, 5 * MINUTE)
    assert (share(minutes), share_interval(minutes), basis(minutes)) == ("–", "", "1 in 5 min")
    assert share(counted_of(BY_NAME["failure_rate"], "", 1, 60 * 86_400 * SECOND)) == "0.5"


def test_reasons_are_counted():
    assert counts({"dismissed": 2, "merged into INC-7": 1}) == "2 dismissed, 1 merged into INC-7"
