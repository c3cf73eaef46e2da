"""Rates and proportions have the intervals of scipy and of the textbooks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from projections.figures.rates import proportion, rate


@given(st.integers(0, 40_000), st.floats(0.01, 1_000))
@settings(max_examples=200, deadline=None)
def test_a_rate_has_garwoods_interval(events: int, span: float):
    ours = rate(events, span)
    assert ours is not None
    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = chi2.ppf(0.975, 2 * events + 2) / 2
    assert (ours.low * span, ours.high * span) == pytest.approx((low, high), rel=1e-7)
    assert ours.value == pytest.approx(events / span, rel=1e-8)


@given(st.integers(1, 5_000), st.data())
@settings(max_examples=200, deadline=None)
def test_a_proportion_has_wilsons_interval(whole: int, data: st.DataObject):
    part = data.draw(st.integers(0, whole))
    ours = proportion(part, whole)
    assert ours is not None
    theirs = binomtest(part, whole).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-8)


def test_none_in_ten_may_still_be_a_quarter():
    ours = proportion(0, 10)
    assert ours is not None
    assert (ours.value, ours.low, round(ours.high, 3)) == (0, 0, 0.278)


def test_nothing_happened_is_not_never():
    ours = rate(0, 12)
    assert ours is not None
    assert (ours.value, ours.low) == (0, 0)
    assert ours.high == pytest.approx(3.688879 / 12)


def test_of_nothing_there_is_no_part_and_without_time_no_rate():
    assert proportion(0, 0) is None
    assert rate(3, 0) is None
