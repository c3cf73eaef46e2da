"""The Kaplan-Meier curve of durations: how many are still going on after how long, with what is not over counted in.

An incident that is not over is not missing: it lasted at least as long as it has lasted until now (right censoring).
Leaving it out makes every figure too small; counting it as over makes it too small, too.

Formulas: Kaplan and Meier (1958), ``S(t) = prod (1 - d/n)`` over the ends up to ``t``; Greenwood's variance ``S(t)^2
* sum d / (n (n - d))``; intervals of quantiles after Brookmeyer and Crowley (1982) with log-log bands (Kalbfleisch
and Prentice). Where an end and a censoring fall on one time, the end comes first.

Sums are of whole numbers (`LOG_UNIT`, `VARIANCE_UNIT`), the same as in ``survival_curve.sql``, so that they do not
depend on an order of adding and both say the same.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from statistics import NormalDist

import msgspec

LOG_UNIT = 10**15
"""Parts of one in which ``ln S`` is summed: 15 digits are what a double holds."""
VARIANCE_UNIT = 10**18
"""Parts of one in which Greenwood's sum is summed; a single end among a million is 10^-12 of one."""
LOG_TIE = 1_000
"""Parts of `LOG_UNIT` within which S counts as having reached a level: rounding must not hide that half are over."""

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Standard deviations on either side of a two-sided 95 % interval."""

MEDIAN, P90 = 0.5, 0.9

TAU_US_MAX = 30 * 86_400 * 1_000_000
TAU_AT_RISK_MIN = 10
"""The restricted mean looks no further than 30 days, nor to where fewer than 10 incidents are left to tell."""


class Lasted(msgspec.Struct, frozen=True):
    """So many durations of one length, in microseconds."""

    duration_us: int
    events: int
    """Ended after this long."""
    censored: int
    """Last at least this long, and are not over."""


class Step(msgspec.Struct, frozen=True):
    """The curve from one end to the next."""

    duration_us: int
    at_risk: int
    """Durations of at least this length."""
    events: int
    log_survival: int
    """``ln S`` in parts of `LOG_UNIT`; meaningless where `ended`."""
    greenwood: int
    """The sum of ``d / (n (n - d))`` in parts of `VARIANCE_UNIT`; meaningless where `ended`."""
    ended: bool
    """Whether nothing lasts longer: S is 0, and its variance is not defined."""

    @property
    def survival(self) -> float:
        """The part that lasts longer."""
        return 0.0 if self.ended else math.exp(self.log_survival / LOG_UNIT)

    @property
    def band(self) -> tuple[float, float] | None:
        """The log-log interval of the survival; None where it is not defined."""
        if self.ended or not self.log_survival:
            return None
        log_survival, error = self.log_survival / LOG_UNIT, Z * self._log_log_error
        return math.exp(log_survival * math.exp(error)), math.exp(log_survival * math.exp(-error))

    def is_down_to(self, level: float, bend: float = 0.0) -> bool:
        """Whether S, or its band bent up by ``bend`` standard deviations, has fallen to a level.

        Bent up, the upper band; down (negative), the lower one.
        """
        if self.ended:
            return bend <= 0
        if not bend:
            return self.log_survival <= round(math.log(level) * LOG_UNIT) + LOG_TIE
        if not self.log_survival:
            return False
        place = math.log(-self.log_survival / LOG_UNIT) - math.log(-math.log(level))
        return place - bend * self._log_log_error >= 0

    @property
    def _log_log_error(self) -> float:
        return math.sqrt(self.greenwood / VARIANCE_UNIT) / (-self.log_survival / LOG_UNIT)


class Curve(msgspec.Struct, frozen=True, dict=True):
    """A Kaplan-Meier curve. Make it with `curve`."""

    steps: tuple[Step, ...]
    """One for each length at which something ended, the shortest first."""
    lengths: tuple[int, ...]
    """All durations, the shortest first, over or not."""

    @cached_property
    def starts_us(self) -> tuple[int, ...]:
        """Where each step begins."""
        return tuple(step.duration_us for step in self.steps)

    def quantile(self, part: float) -> int | None:
        """The duration within which a part of the incidents is over; None when it is not reached.

        The first time at which S is at most ``1 - part``. Never the last value in its stead.
        """
        return self._start(self._first(1 - part))

    def quantile_interval(self, part: float) -> tuple[int | None, int | None]:
        """The Brookmeyer-Crowley interval of a quantile: where the lower, and where the upper band falls to it.

        Either end is None when its band never falls so far.
        """
        level = 1 - part
        low = self._first(level, -Z)
        # The upper band is never below S, so it cannot get there sooner.
        reached = self._first(level)
        high = None if reached is None else self._first(level, Z, start=reached)
        return self._start(low), self._start(high)

    def survival_at(self, duration_us: int) -> float:
        """The part that lasts longer than a duration."""
        place = bisect_right(self.starts_us, duration_us)
        return self.steps[place - 1].survival if place else 1.0

    @property
    def tau_us(self) -> int | None:
        """How far the restricted mean looks: 30 days, or as far as 10 are at risk; None when never so many are."""
        if len(self.lengths) < TAU_AT_RISK_MIN:
            return None
        tau = min(TAU_US_MAX, self.lengths[-TAU_AT_RISK_MIN])
        return tau if tau > 0 else None

    def restricted_mean(self, tau_us: int) -> tuple[float, float]:
        """The mean of the durations, each cut at ``tau_us``, and its standard error; both in microseconds.

        The area under the curve up to tau; its variance ``sum A^2 d / (n (n - d))``, A the area from an end to tau
        (Klein and Moeschberger, 4.5). Durations below 0 count as they are.
        """
        steps = [step for step in self.steps if step.duration_us < tau_us]
        begin = min(0, steps[0].duration_us) if steps else 0
        starts = [begin, *(step.duration_us for step in steps)]
        ends = [*(step.duration_us for step in steps), tau_us]
        heights = [1.0, *(step.survival for step in steps)]
        areas = [height * (end - start) for height, start, end in zip(heights, starts, ends, strict=True)]
        mean = begin + math.fsum(areas)
        beyond, terms = 0.0, []
        for step, area in zip(reversed(steps), reversed(areas[1:]), strict=True):
            beyond += area
            if step.at_risk > step.events:
                terms.append(beyond**2 * step.events / (step.at_risk * (step.at_risk - step.events)))
        return mean, math.sqrt(math.fsum(terms))

    def _start(self, place: int | None) -> int | None:
        return None if place is None else self.starts_us[place]

    def _first(self, level: float, bend: float = 0.0, start: int = 0) -> int | None:
        return next(
            (place for place in range(start, len(self.steps)) if self.steps[place].is_down_to(level, bend)), None
        )


def curve(durations: Iterable[Lasted]) -> Curve:
    """The Kaplan-Meier curve of durations, given in any order."""
    by_length: dict[int, tuple[int, int]] = {}
    for each in durations:
        events, censored = by_length.get(each.duration_us, (0, 0))
        by_length[each.duration_us] = (events + each.events, censored + each.censored)
    at_risk = sum(events + censored for events, censored in by_length.values())
    steps: list[Step] = []
    lengths: list[int] = []
    log_survival = greenwood = 0
    for length in sorted(by_length):
        events, censored = by_length[length]
        if events:
            ended = events == at_risk
            if not ended:
                log_survival += round(math.log(1 - events / at_risk) * LOG_UNIT)
                greenwood += round(events / (at_risk * (at_risk - events)) * VARIANCE_UNIT)
            steps.append(Step(length, at_risk, events, log_survival, greenwood, ended))
        at_risk -= events + censored
        lengths += [length] * (events + censored)
    return Curve(tuple(steps), tuple(lengths))


def log_rank(one: Curve, other: Curve) -> float | None:
    """The two-sided p-value of the log-rank test that two groups end alike (Mantel 1966); None without any end."""
    ends = sorted({*one.starts_us, *other.starts_us})
    expected: list[float] = []
    variances: list[float] = []
    ones = dict(zip(one.starts_us, one.steps, strict=True))
    others = dict(zip(other.starts_us, other.steps, strict=True))
    observed = 0
    for time in ends:
        mine = ones[time].events if time in ones else 0
        events = mine + (others[time].events if time in others else 0)
        at_risk_one = _at_risk(one, time)
        at_risk = at_risk_one + _at_risk(other, time)
        observed += mine
        expected.append(events * at_risk_one / at_risk)
        if at_risk > 1:
            share = at_risk_one / at_risk
            variances.append(events * share * (1 - share) * (at_risk - events) / (at_risk - 1))
    variance = math.fsum(variances)
    if variance <= 0:
        return None
    return math.erfc(abs(observed - math.fsum(expected)) / math.sqrt(2 * variance))


def _at_risk(curve: Curve, duration_us: int) -> int:
    return len(curve.lengths) - bisect_right(curve.lengths, duration_us - 1)
