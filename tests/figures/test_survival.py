"""The curve says what lifelines says, and what can be worked out by hand."""

import math
import random
import warnings

import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import median_survival_times, qth_survival_times, restricted_mean_survival_time

from projections.figures.survival import MEDIAN, P90, Curve, Lasted, curve, log_rank

HOUR = 3_600_000_000

lasting = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=2, max_size=60)
"""Durations in minutes, and whether they are over; so few lengths that many are equal."""


def curve_of(history: list[tuple[int, bool]]) -> Curve:
    return curve(Lasted(length, int(over), int(not over)) for length, over in history)


def fitted(history: list[tuple[int, bool]]) -> KaplanMeierFitter:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KaplanMeierFitter().fit([length for length, _ in history], [over for _, over in history])


def a_level_is_met_exactly(history: list[tuple[int, bool]]) -> bool:
    """Whether S touches a level, where the last digit of a double decides what lifelines says."""
    return any(abs(step.survival - level) < 1e-9 for step in curve_of(history).steps for level in (0.5, 0.1))


@given(lasting)
@settings(max_examples=60, deadline=None)
def test_survival_is_that_of_lifelines(history: list[tuple[int, bool]]):
    theirs = fitted(history).survival_function_["KM_estimate"]
    ours = curve_of(history)
    for length in range(41):
        known = theirs[theirs.index <= length]
        assert ours.survival_at(length) == pytest.approx(known.iloc[-1], abs=1e-12)


@given(lasting)
@settings(max_examples=60, deadline=None)
def test_median_and_p90_are_those_of_lifelines_or_not_reached(history: list[tuple[int, bool]]):
    if a_level_is_met_exactly(history):
        return
    theirs, ours = fitted(history), curve_of(history)
    for part, level in ((MEDIAN, 0.5), (P90, 0.1)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            their_value = theirs.percentile(level)
        assert ours.quantile(part) == (None if math.isinf(their_value) else their_value)


@given(lasting)
@settings(max_examples=60, deadline=None)
def test_intervals_are_those_of_lifelines(history: list[tuple[int, bool]]):
    if a_level_is_met_exactly(history):
        return
    theirs, ours = fitted(history), curve_of(history)
    band = theirs.confidence_interval_
    for step in ours.steps:
        if step.band is not None:
            low, high = band.loc[step.duration_us]
            assert step.band == pytest.approx((low, high), abs=1e-9)
    if any(step.ended for step in ours.steps):
        return  # lifelines has no band at S = 0
    ends = median_survival_times(band)
    assert ours.quantile_interval(MEDIAN) == tuple(
        None if math.isinf(end) else end for end in (ends.iloc[0, 0], ends.iloc[0, 1])
    )
    ends = qth_survival_times([0.1], band)
    assert ours.quantile_interval(P90) == tuple(
        None if math.isinf(end) else end for end in (ends.iloc[0, 0], ends.iloc[0, 1])
    )


@given(lasting, st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_the_restricted_mean_is_that_of_lifelines(history: list[tuple[int, bool]], tau: int):
    ours, _error = curve_of(history).restricted_mean(tau)
    assert ours == pytest.approx(restricted_mean_survival_time(fitted(history), t=tau), rel=1e-9)


@given(lasting, lasting)
@settings(max_examples=60, deadline=None)
def test_the_log_rank_test_is_that_of_lifelines(one: list[tuple[int, bool]], other: list[tuple[int, bool]]):
    ours = log_rank(curve_of(one), curve_of(other))
    if ours is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = logrank_test(
            pandas.Series([length for length, _ in one]),
            pandas.Series([length for length, _ in other]),
            [over for _, over in one],
            [over for _, over in other],
        )
    assert ours == pytest.approx(theirs.p_value, abs=1e-9)


def test_open_incidents_lengthen_the_median_that_closed_ones_alone_would_give():
    # Log-normal with a true median of 72 hours; what has lasted longer than its time under watch is not over.
    draw = random.Random(72)
    history = []
    for _ in range(4_000):
        length = round(72 * HOUR * math.exp(1.4 * draw.gauss(0, 1)))
        watched = round(-math.log(1 - draw.random()) * 24 * 24 * HOUR)
        history.append((min(length, watched), length <= watched))
    is_open = sum(not over for _, over in history) / len(history)
    closed = sorted(length for length, over in history if over)
    assert is_open == pytest.approx(0.21, abs=0.03)
    assert closed[len(closed) // 2] < 60 * HOUR
    ours = curve_of(history).quantile(MEDIAN)
    assert ours is not None
    assert ours == pytest.approx(72 * HOUR, rel=0.06)


def test_a_median_that_is_not_reached_is_none_and_never_the_last_value():
    assert curve_of([(1, True), (2, True), (9, False), (9, False), (9, False)]).quantile(MEDIAN) is None


def test_where_half_is_over_exactly_the_median_is_that_end():
    # 4 of 6, then 3 of 4: the product of the doubles is not 0.5.
    history = [(1, True), (1, True), (2, True), (9, False), (9, False), (9, False)]
    assert curve_of(history).quantile(MEDIAN) == 2


def test_an_end_comes_before_a_censoring_at_the_same_time():
    (step,) = curve_of([(5, True), (5, False)]).steps
    assert (step.at_risk, step.survival) == (2, pytest.approx(0.5))


def test_where_nothing_lasts_longer_the_upper_end_is_not_made_up():
    low, high = curve_of([(length, True) for length in (1, 2, 3)]).quantile_interval(P90)
    assert low is not None
    assert high is None


def test_tau_is_where_ten_are_still_at_risk_and_at_most_thirty_days():
    assert curve_of([(length, True) for length in range(1, 10)]).tau_us is None
    assert curve_of([(length, True) for length in range(1, 21)]).tau_us == 11
    assert curve_of([(40 * 24 * HOUR, False)] * 12).tau_us == 30 * 24 * HOUR


def test_lead_times_below_zero_count_as_they_are():
    ours = curve_of([(-4, True), (-2, True), (6, True)])
    assert ours.quantile(MEDIAN) == -2
    assert ours.restricted_mean(6)[0] == pytest.approx(0)
