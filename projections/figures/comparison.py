"""Two periods compared, and the refusal to see a trend where chance would show one just as well.

With every incident really a tenth shorter, the mean of a year looks worse in four of ten simulated years (Davidovic,
Incident Metrics in SRE, 2021). So no change is called one unless it is at least as large as the smallest that so many
incidents can show: ``n = 2 (2.80 sigma / ln(1 / (1 - r)))^2`` per period, solved for r (a two-sided test at 5 % that
finds a true change in 80 % of cases, on the logarithms of log-normal durations).
"""

import math
from statistics import NormalDist
from typing import Literal

import msgspec

from projections.figures.figure import LISTED_BELOW, Sample
from projections.figures.lognormal import LogNormal
from projections.figures.survival import Z, log_rank

POWER = 0.8
REACH = Z + NormalDist().inv_cdf(POWER)
"""2.80 standard errors: what a change must measure to be found with this power."""

Call = Literal["shorter", "longer", "no trend", "too few"]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How the durations of one sample compare with those of an earlier one."""

    call: Call
    """``no trend`` does not say that nothing changed, but that so few incidents could not show it."""
    ratio: float | None
    """Geometric mean of the later over that of the earlier; below 1 is shorter. Six digits, as all that follows."""
    ratio_low: float | None
    ratio_high: float | None
    """Its 95 % interval."""
    log_rank_p: float | None
    """How probable curves as different as these are when nothing changed."""
    detectable: float | None
    """The smallest change that can be told from chance with so many: 0.3 for 30 % shorter."""
    sigma: float | None
    """The standard deviation of the logarithms that it rests on."""
    sentence: str


def compare(earlier: Sample, later: Sample) -> Comparison:
    """Compare two samples of one metric."""
    one, other = earlier.log_normal(), later.log_normal()
    counts = len(earlier.durations("measured")), len(later.durations("measured"))
    if one is None or other is None or min(counts) < LISTED_BELOW:
        return _too_few(*counts)
    difference = other.mu - one.mu
    error = math.hypot(one.mu_error, other.mu_error)
    sigma = _pooled(one, other, *counts)
    reach = REACH * sigma * math.sqrt(1 / counts[0] + 1 / counts[1])
    detectable = 1 - math.exp(-reach)
    tested = log_rank(earlier.curve(), later.curve())
    found = abs(difference) >= reach and abs(difference) > Z * error
    call: Call = ("shorter" if difference < 0 else "longer") if found else "no trend"
    return Comparison(
        call=call,
        ratio=_six(math.exp(difference)),
        ratio_low=_six(math.exp(difference - Z * error)),
        ratio_high=_six(math.exp(difference + Z * error)),
        log_rank_p=None if tested is None else _six(tested),
        detectable=_six(detectable),
        sigma=_six(sigma),
        sentence=_sentence(call, math.exp(difference), detectable, counts),
    )


def needed(reduction: float, sigma: float) -> int:
    """How many incidents each period needs to show a reduction, such as 0.1 for a tenth.

    Raises:
        ValueError: the reduction is not between 0 and 1.
    """
    return math.ceil(2 * (REACH * sigma / math.log(1 / (1 - reduction))) ** 2)


def _too_few(earlier: int, later: int) -> Comparison:
    return Comparison(
        call="too few",
        ratio=None,
        ratio_low=None,
        ratio_high=None,
        log_rank_p=None,
        detectable=None,
        sigma=None,
        sentence=f"{earlier} and {later} measured incidents cannot be compared: each period needs {LISTED_BELOW} that "
        "differ, none of them below zero.",
    )


def _sentence(call: Call, ratio: float, detectable: float, counts: tuple[int, int]) -> str:
    enough = f"with {counts[0]} and {counts[1]} measured incidents"
    # The same distance on the logarithms is another part upwards.
    least = f"{_change(1 - detectable)} or {_change(1 / (1 - detectable))}"
    if call == "no trend":
        return f"No trend can be called: {enough}, only durations at least {least} can be told from chance."
    return f"{_change(ratio)}: more than what chance would show {enough} (at least {least})."


def _pooled(one: LogNormal, other: LogNormal, ones: int, others: int) -> float:
    return math.sqrt((one.sigma**2 * ones + other.sigma**2 * others) / (ones + others))


def _change(ratio: float) -> str:
    """``30 % shorter``, ``43 % longer``, ``14 times as long``."""
    if ratio < 1:
        return f"{100 * (1 - ratio):.0f} % shorter"
    return f"{100 * (ratio - 1):.0f} % longer" if ratio < 3 else f"{ratio:.0f} times as long"


def _six(number: float) -> float:
    return float(f"{number:.6g}")
