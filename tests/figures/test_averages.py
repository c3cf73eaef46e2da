"""The arithmetic mean: its interval is BCa's, and the same seed gives the same one."""

import math
import random
import time

import pytest
from scipy.stats import bootstrap

from projections.figures import averages
from projections.figures.averages import mean

MINUTE = 60_000_000


def skewed(count: int, seed: int = 1) -> list[int]:
    draw = random.Random(seed)
    return [round(30 * MINUTE * math.exp(draw.gauss(0, 1))) for _ in range(count)]


def test_the_interval_is_about_that_of_scipy():
    values = skewed(80)
    ours = mean(values, seed=3)
    theirs = bootstrap((values,), lambda x, axis: x.mean(axis), n_resamples=9_999, method="BCa", rng=5)
    assert ours is not None
    assert (ours.method, ours.resamples) == ("bca", 2_000)
    assert ours.low_us == pytest.approx(theirs.confidence_interval.low, rel=0.03)
    assert ours.high_us == pytest.approx(theirs.confidence_interval.high, rel=0.05)


def test_the_seed_decides_and_nothing_else_does():
    values = skewed(60)
    assert mean(values, seed=1) == mean(list(reversed(values)), seed=1)
    assert mean(values, seed=1) != mean(values, seed=2)


def test_the_stated_digits_hold_in_every_version():
    ours = mean([minute * MINUTE for minute in (1, 2, 3, 5, 8, 13, 21, 34)], seed=2**70 + 42)
    assert ours is not None
    assert (ours.value_us, ours.low_us, ours.high_us) == (652_500_000, 307_500_000, 1_275_000_000)


def test_for_many_the_expansion_agrees_with_the_resamples(monkeypatch: pytest.MonkeyPatch):
    values = skewed(2_000)
    drawn = mean(values, seed=9)
    monkeypatch.setattr(averages, "RESAMPLED_MAX", 1_999)
    expanded = mean(values, seed=9)
    assert drawn is not None
    assert expanded is not None
    assert (drawn.method, expanded.method) == ("bca", "bca-expansion")
    half = (expanded.high_us - expanded.low_us) / 2
    assert drawn.low_us == pytest.approx(expanded.low_us, abs=0.12 * half)
    assert drawn.high_us == pytest.approx(expanded.high_us, abs=0.12 * half)


def test_it_says_how_far_it_lies_above_the_median():
    ours = mean([MINUTE] * 9 + [91 * MINUTE], seed=1)
    assert ours is not None
    assert (ours.value_us, ours.times_median) == (10 * MINUTE, 10.0)


@pytest.mark.parametrize("values", [[], [5], [5, 5, 5]])
def test_without_spread_there_is_none(values: list[int]):
    assert mean(values, seed=1) is None


def test_thirty_thousand_durations_are_a_matter_of_a_moment():
    values = skewed(30_000)
    began = time.process_time()
    assert mean(values, seed=1) is not None
    assert time.process_time() - began < 1
