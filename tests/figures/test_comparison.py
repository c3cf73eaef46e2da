"""Two periods are compared with their interval, and no trend is called that chance would show as well."""

import math
import random

import pytest

from projections.figures.comparison import compare, needed
from projections.figures.figure import Sample
from tests.figures.story import lasted, lasting, sample


def period(count: int, minutes: float, *, seed: int, sigma: float = 1.4) -> Sample:
    draw = random.Random(seed)
    return sample(lasted(*(minutes * math.exp(sigma * draw.gauss(0, 1)) for _ in range(count))))


@pytest.mark.parametrize(("reduction", "incidents"), [(0.1, 2_772), (0.2, 618), (0.3, 242), (0.5, 65)])
def test_a_change_needs_so_many_incidents_a_period(reduction: float, incidents: int):
    assert needed(reduction, sigma=1.4) == pytest.approx(incidents, abs=1)


def test_a_tenth_shorter_in_fifty_incidents_is_no_trend_and_it_says_what_would_be():
    shown = compare(period(50, 60, seed=1), period(50, 54, seed=2))
    assert shown.call == "no trend"
    assert shown.detectable == pytest.approx(0.54, abs=0.05)
    assert shown.sentence.startswith(
        "No trend can be called: with 50 and 50 measured incidents, only durations at least"
    )


def test_chance_alone_is_hardly_ever_called_a_trend():
    calls = [compare(period(50, 60, seed=2 * n), period(50, 60, seed=2 * n + 1)).call for n in range(100)]
    assert calls.count("no trend") >= 96


def test_half_as_long_in_four_hundred_is_called_with_its_interval():
    shown = compare(period(400, 60, seed=1), period(400, 30, seed=12))
    assert shown.call == "shorter"
    assert shown.ratio is not None
    assert shown.ratio_low is not None
    assert shown.ratio_high is not None
    assert shown.ratio_low < 0.5 < shown.ratio_high < 1
    assert shown.log_rank_p is not None
    assert shown.log_rank_p < 1e-6
    assert compare(period(400, 30, seed=12), period(400, 60, seed=1)).call == "longer"


def test_what_is_not_over_counts():
    closed = sample(lasted(*[10, 12, 14, 16, 18, 20] * 20))
    with_open = sample(lasted(*[10, 12, 14, 16, 18, 20] * 20), lasting(*[500] * 60))
    shown = compare(closed, with_open)
    assert shown.call == "longer"


def test_too_few_are_not_compared():
    shown = compare(sample(lasted(1, 2, 3)), sample(lasted(*range(1, 99))))
    assert (shown.call, shown.ratio) == ("too few", None)
    assert "3 and 98" in shown.sentence
