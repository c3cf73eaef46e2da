"""The arithmetic mean of durations, which never goes without its interval and a word about its skew.

The interval is the bias-corrected and accelerated bootstrap (BCa: Efron 1987). Its chance comes from a seed that the
log position, the definition and the cohort determine, so the same question gives the same interval for ever: Python
promises that `random.Random(int).random` repeats its sequence in every version, and nothing else of that module is
used.
"""

import math
import random
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import msgspec

from projections.figures.survival import CONFIDENCE

RESAMPLES_MAX = 2_000
DRAWS_MAX = 2_000_000
"""Resamples times durations: about a third of a second."""
RESAMPLED_MAX = DRAWS_MAX // 1_000
"""With more durations fewer than 1,000 resamples would fit. The interval then comes from the expansion that BCa
estimates: its error is of the order 1/n, smaller than that of so few resamples (Hall 1992, DiCiccio and Efron
1996)."""

SKEWED = 1.5
"""How many times the median a mean may be before a warning says that a few long incidents decide it."""

_NORMAL = NormalDist()


class Mean(msgspec.Struct, frozen=True, kw_only=True):
    """An arithmetic mean, in microseconds, of what is over."""

    value_us: int
    low_us: int
    high_us: int
    method: Literal["bca", "bca-expansion"]
    resamples: int
    """How many samples were drawn; 0 for the expansion."""
    times_median: float | None
    """The mean as a multiple of the median of the same durations, to two digits; None when that is not above 0."""


def mean(durations_us: Sequence[int], seed: int) -> Mean | None:
    """The mean and its interval; None for fewer than two durations, or when all are equal.

    Args:
        durations_us: what is over, in any order.
        seed: determines the resamples.
    """
    values = sorted(durations_us)
    count, total = len(values), sum(values)
    if count < 2 or values[0] == values[-1]:
        return None
    shape = _Shape(values)
    if count > RESAMPLED_MAX:
        ends, method, resamples = shape.expanded(), "bca-expansion", 0
    else:
        resamples = min(RESAMPLES_MAX, DRAWS_MAX // count)
        ends, method = shape.resampled(_resampled_sums(values, resamples, seed)), "bca"
    middle = values[count // 2] + values[(count - 1) // 2]
    return Mean(
        value_us=round(total / count),
        low_us=round(ends[0]),
        high_us=round(ends[1]),
        method=method,  # type: ignore[arg-type]  # one of the two above
        resamples=resamples,
        times_median=round(2 * total / count / middle, 2) if middle > 0 else None,
    )


class _Shape:
    """What the intervals of a mean need to know of its durations."""

    def __init__(self, values: Sequence[int]) -> None:
        self._count, self._total = len(values), sum(values)
        self._mean = self._total / self._count
        squares = math.fsum((value - self._mean) ** 2 for value in values)
        cubes = math.fsum((value - self._mean) ** 3 for value in values)
        self._error = math.sqrt(squares) / self._count
        self._acceleration = cubes / squares / math.sqrt(squares) / 6

    def resampled(self, sums: Sequence[int]) -> tuple[float, float]:
        """The interval from the sums of resamples, the smallest first."""
        below = sum(each < self._total for each in sums) + sum(each == self._total for each in sums) / 2
        # Never outside the resamples: the correction of a sample of which all lie on one side has no end.
        share = min(max(below / len(sums), 1 / (len(sums) + 1)), len(sums) / (len(sums) + 1))
        places = (_NORMAL.cdf(self._corrected(z, _NORMAL.inv_cdf(share))) * (len(sums) + 1) for z in _NORMAL_ENDS)
        low, high = (sums[min(max(math.floor(place), 1), len(sums)) - 1] / self._count for place in places)
        return low, high

    def expanded(self) -> tuple[float, float]:
        """The same by the Cornish-Fisher expansion of a mean's distribution."""
        # The mean of n durations has 1/sqrt(n) of their skewness, which is six times the acceleration.
        ends = (self._corrected(z, self._acceleration) for z in _NORMAL_ENDS)
        low, high = (self._mean + self._error * (z + self._acceleration * (z * z - 1)) for z in ends)
        return low, high

    def _corrected(self, z: float, bias: float) -> float:
        return bias + (bias + z) / (1 - self._acceleration * (bias + z))


_NORMAL_ENDS = (_NORMAL.inv_cdf((1 - CONFIDENCE) / 2), _NORMAL.inv_cdf((1 + CONFIDENCE) / 2))


def _resampled_sums(values: Sequence[int], resamples: int, seed: int) -> list[int]:
    count, draw = len(values), random.Random(seed).random
    return sorted(sum([values[int(draw() * count)] for _ in range(count)]) for _ in range(resamples))
