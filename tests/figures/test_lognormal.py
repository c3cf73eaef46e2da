"""The fitted log-normal distribution is that of lifelines, and finds what was drawn."""

import math
import random
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import LogNormalFitter

from projections.figures.lognormal import SHORTEST_US, fit

SECOND = 1_000_000

seconds = st.integers(1, 20_000)


@given(st.lists(seconds, min_size=6, max_size=60), st.lists(seconds, max_size=20))
@settings(max_examples=25, deadline=None)
def test_it_is_that_of_lifelines(over: list[int], until_now: list[int]):
    assume(len({*over}) >= 4)
    ours = fit([each * SECOND for each in over], [each * SECOND for each in until_now])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = LogNormalFitter().fit([*over, *until_now], [1] * len(over) + [0] * len(until_now))
    assert ours is not None
    # Theirs stops at a gradient, ours at the maximum.
    assert ours.mu - math.log(SECOND) == pytest.approx(theirs.mu_, abs=5e-3)
    assert ours.sigma == pytest.approx(theirs.sigma_, rel=5e-3)
    assert ours.mu_error == pytest.approx(theirs.summary.loc["mu_", "se(coef)"], rel=2e-2)


def test_without_censoring_it_is_the_mean_and_deviation_of_the_logarithms():
    ours = fit([SECOND * 10, SECOND * 1000], [])
    assert ours is not None
    assert ours.geometric_mean_us == 100 * SECOND
    assert ours.sigma == pytest.approx(math.log(10))
    assert ours.mu_error == pytest.approx(math.log(10) / math.sqrt(2))


def test_what_is_not_over_pulls_it_up():
    draw = random.Random(7)
    truth = [72 * 3600 * SECOND * math.exp(1.4 * draw.gauss(0, 1)) for _ in range(3_000)]
    limit = 200 * 3600 * SECOND
    over = [round(each) for each in truth if each <= limit]
    ours = fit(over, [limit] * (len(truth) - len(over)))
    alone = fit(over, [])
    assert ours is not None
    assert alone is not None
    assert ours.geometric_mean_us == pytest.approx(72 * 3600 * SECOND, rel=0.06)
    assert alone.geometric_mean_us < 0.75 * ours.geometric_mean_us


def test_no_time_at_all_counts_as_a_second():
    assert fit([0, 4 * SECOND], []) == fit([SHORTEST_US, 4 * SECOND], [])


@pytest.mark.parametrize("durations", [[], [5 * SECOND], [5 * SECOND] * 9, [-SECOND, SECOND, 2 * SECOND]])
def test_without_spread_or_below_zero_there_is_none(durations: list[int]):
    assert fit(durations, [9 * SECOND]) is None


def test_one_that_has_lasted_far_longer_than_all_others_does_not_overflow():
    ours = fit([SECOND, SECOND + 1, SECOND + 2], [10**15])
    assert ours is not None
    assert math.isfinite(ours.mu_error)
