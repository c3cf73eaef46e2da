"""Intervals of what is counted, not timed: how often something happens, and which part of something.

* A rate of events in a span has the exact Poisson interval of Garwood (1936).
* A proportion has Wilson's score interval (1927), which stays within 0 and 1 and keeps its coverage for few.
"""

import math
from collections.abc import Callable

import msgspec

from projections.figures.survival import CONFIDENCE, Z

TAIL = (1 - CONFIDENCE) / 2
HALVINGS = 100
PRECISION = 1e-15
TERMS_MAX = 100_000


class Share(msgspec.Struct, frozen=True):
    """A number between two others: an estimate with its 95 % interval."""

    value: float
    low: float
    high: float


def proportion(part: int, whole: int) -> Share | None:
    """Which part of a whole, with Wilson's interval; None of nothing."""
    if not whole:
        return None
    share, weight = part / whole, Z * Z / whole
    middle = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / whole + weight / (4 * whole)) / (1 + weight)
    return _rounded(share, max(0.0, middle - half) if part else 0.0, min(1.0, middle + half) if part < whole else 1.0)


def rate(events: int, span: float) -> Share | None:
    """Events a unit of ``span``, with Garwood's interval; None when there was no time.

    The interval of the count is from the ``a/2`` quantile of a gamma distribution with shape ``events`` to the ``1 -
    a/2`` quantile of one with shape ``events + 1``.
    """
    if span <= 0:
        return None
    low = _gamma_quantile(events, TAIL) if events else 0.0
    high = _gamma_quantile(events + 1, 1 - TAIL)
    return _rounded(events / span, low / span, high / span)


def _rounded(*numbers: float) -> Share:
    """To nine digits, so that the last ones of no processor show."""
    value, low, high = (float(f"{number:.9g}") for number in numbers)
    return Share(value, low, high)


def _gamma_quantile(shape: int, part: float) -> float:
    high = shape + 10 * math.sqrt(shape) + 10
    return _where(lambda x: _gamma_below(shape, x) >= part, 0.0, high)


def _where(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The least number at which something begins to hold, between two where it does not and does."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _gamma_below(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(shape, x): a series below, a continued fraction above.

    Abramowitz and Stegun 6.5.29 and 6.5.31, the latter evaluated after Lentz.
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for number in range(1, TERMS_MAX):
            term *= x / (shape + number)
            total += term
            if term < total * PRECISION:
                break
        return front * total
    b = x + 1 - shape
    c, d = math.inf, 1 / b
    fraction = d
    for number in range(1, TERMS_MAX):
        a = number * (shape - number)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction *= d * c
        if abs(d * c - 1) < PRECISION:
            break
    return 1 - front * fraction
