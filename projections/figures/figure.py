"""One figure: everything that may honestly be said about a duration metric in one cohort.

What cannot be said is absent and says why: ``NR`` where half of the incidents are not over yet, the raw values
instead of statistics where there are fewer than five, no interval where so few cannot have one.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from projections.figures.averages import SKEWED, Mean, mean
from projections.figures.cohort import Cell
from projections.figures.lognormal import LogNormal, fit
from projections.figures.survival import MEDIAN, P90, Curve, Lasted, Z, curve

METHOD = 2
"""The version of these estimates; raised when the same measurements give another figure."""

LISTED_BELOW = 5
"""With fewer incidents than this the values themselves are the only statement."""
MEDIAN_INTERVAL_MIN = 6
"""With n measured values, all lie on one side of the median with probability 2 * 0.5^n; above 5 % until n is 6."""
P90_UPPER_MIN = 36
"""With fewer, all lie below the 90th percentile with more than 2.5 % probability: 0.9^n."""

NOT_REACHED = "not reached"
"""Shown as ``NR``."""
UNDEFINED = "nothing lasts longer, so the upper end is not defined"
TOO_FEW = f"fewer than {LISTED_BELOW} incidents: see the values themselves"


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A duration in microseconds with its 95 % interval. What is None is absent for the reason beside it."""

    value_us: int | None = None
    low_us: int | None = None
    high_us: int | None = None
    absent: str = ""
    low_absent: str = ""
    high_absent: str = ""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Median and P90 if every imprecise time were as early, and as late, as it may be; None where not reached."""

    incidents: int
    """How many have an imprecise time."""
    median_earliest_us: int | None
    median_latest_us: int | None
    p90_earliest_us: int | None
    p90_latest_us: int | None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a metric in a cohort."""

    metric: str
    version: int
    group: str
    """Which group of the cohort; empty when there are none."""
    incidents: int
    """All, measured or not."""
    n: int
    """Measured and censored: what the estimates rest on."""
    measured: int
    censored: int
    """Not over yet: they count with how long they have lasted."""
    excluded: int
    censored_because: dict[str, int]
    excluded_because: dict[str, int]
    below_zero: int
    """How many ended before they started, such as what was detected before its impact: lead time, kept as it is."""
    values_us: tuple[int, ...] | None
    """The measured durations themselves, when there are fewer than five incidents."""
    lasting_us: tuple[int, ...] | None
    """How long the others have lasted, then."""
    median: Estimate
    p90: Estimate
    restricted_mean: Estimate
    tau_us: int | None
    """Where the restricted mean cuts each duration."""
    geometric_mean: Estimate
    sigma: float | None
    """The standard deviation of the logarithms (base e) in the fitted log-normal distribution, to six digits."""
    mean: Mean | None
    """Only when asked for."""
    bounds: Bounds | None
    """None when every time is precise."""
    warnings: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says, the first 32 hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:32]


class Sample(msgspec.Struct, frozen=True):
    """The durations of one metric in one group."""

    cells: tuple[Cell, ...]

    def curve(self) -> Curve:
        """How many last how long."""
        return self._curve([(cell, cell.duration_us) for cell in self.cells])

    def bounds(self) -> Bounds | None:
        """What imprecise times may do to median and P90."""
        imprecise = sum(
            cell.incidents
            for cell in self._in_state("measured", "censored")
            if cell.earliest_us is not None or cell.latest_us is not None
        )
        if not imprecise:
            return None
        early = self._curve([(cell, _either(cell.earliest_us, cell.duration_us)) for cell in self.cells])
        late = self._curve([(cell, _either(cell.latest_us, cell.duration_us)) for cell in self.cells])
        return Bounds(
            incidents=imprecise,
            median_earliest_us=early.quantile(MEDIAN),
            median_latest_us=late.quantile(MEDIAN),
            p90_earliest_us=early.quantile(P90),
            p90_latest_us=late.quantile(P90),
        )

    def durations(self, state: str) -> list[int]:
        """Each duration in a state, the shortest first."""
        return sorted(
            length
            for cell in self._in_state(state)
            for length in [cell.duration_us] * cell.incidents
            if length is not None
        )

    def count(self, state: str) -> int:
        """How many are in a state."""
        return sum(cell.incidents for cell in self._in_state(state))

    def reasons(self, state: str) -> dict[str, int]:
        """How many are in a state for which reason, the most frequent first."""
        counted: Counter[str] = Counter()
        for cell in self._in_state(state):
            counted[cell.reason] += cell.incidents
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def log_normal(self) -> LogNormal | None:
        """The fitted distribution; None when there is none to fit."""
        return fit(self.durations("measured"), self.durations("censored"))

    def _in_state(self, *states: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.state in states]

    def _curve(self, lengths: Iterable[tuple[Cell, int | None]]) -> Curve:
        return curve(
            Lasted(
                length,
                cell.incidents if cell.state == "measured" else 0,
                cell.incidents if cell.state == "censored" else 0,
            )
            for cell, length in lengths
            if length is not None and cell.state != "excluded"
        )


def samples(cells: Iterable[Cell]) -> dict[tuple[str, str], Sample]:
    """The measurements by metric and group, in alphabetical order."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.metric, cell.group), []).append(cell)
    return {key: Sample(tuple(found[key])) for key in sorted(found)}


def figure(metric: str, group: str, sample: Sample, *, version: int = 0, seed: int | None = None) -> Figure:
    """Everything that may be said about a sample.

    Args:
        metric: its id.
        group: which group of the cohort; empty for the whole.
        sample: the measurements.
        version: of the metric; the measurements know it, too, if there are any.
        seed: of the arithmetic mean's interval; None leaves the mean out.
    """
    measured, censored = sample.durations("measured"), sample.durations("censored")
    count = len(measured) + len(censored)
    few = count < LISTED_BELOW
    line = sample.curve()
    fitted = None if few else sample.log_normal()
    average = mean(measured, seed) if seed is not None and not few else None
    return Figure(
        metric=metric,
        version=max((cell.version for cell in sample.cells), default=version),
        group=group,
        incidents=sum(cell.incidents for cell in sample.cells),
        n=count,
        measured=len(measured),
        censored=len(censored),
        excluded=sample.count("excluded"),
        censored_because=sample.reasons("censored"),
        excluded_because=sample.reasons("excluded"),
        below_zero=sum(each < 0 for each in measured),
        values_us=tuple(measured) if few else None,
        lasting_us=tuple(censored) if few else None,
        median=Estimate(absent=TOO_FEW) if few else _median(line, len(measured)),
        p90=Estimate(absent=TOO_FEW) if few else _p90(line, len(measured)),
        restricted_mean=_restricted_mean(line, few=few),
        tau_us=line.tau_us,
        geometric_mean=_geometric_mean(measured, censored, fitted, few=few),
        sigma=round(fitted.sigma, 6) if fitted else None,
        mean=average,
        bounds=None if few else sample.bounds(),
        warnings=tuple(_warnings(average, len(censored))),
    )


def _median(line: Curve, measured: int) -> Estimate:
    if measured < MEDIAN_INTERVAL_MIN:
        few = f"an interval needs {MEDIAN_INTERVAL_MIN} measured, there are {measured}"
        return _quantile(line, MEDIAN, low_absent=few, high_absent=few)
    return _quantile(line, MEDIAN)


def _p90(line: Curve, measured: int) -> Estimate:
    if measured < P90_UPPER_MIN:
        few = f"an upper end needs {P90_UPPER_MIN} measured, there are {measured}"
        return _quantile(line, P90, high_absent=few)
    return _quantile(line, P90)


def _quantile(line: Curve, part: float, *, low_absent: str = "", high_absent: str = "") -> Estimate:
    value, (low, high) = line.quantile(part), line.quantile_interval(part)
    # Without a curve that goes on there is no band either: that is not the same as a band that stays above.
    endless = UNDEFINED if line.steps and line.steps[-1].ended else NOT_REACHED
    return Estimate(
        value_us=value,
        low_us=None if low_absent else low,
        high_us=None if high_absent else high,
        absent="" if value is not None else NOT_REACHED,
        low_absent=low_absent or ("" if low is not None else NOT_REACHED),
        high_absent=high_absent or ("" if high is not None else endless),
    )


def _restricted_mean(line: Curve, *, few: bool) -> Estimate:
    if line.tau_us is None:
        return Estimate(absent=TOO_FEW if few else "fewer than 10 are at risk at any time")
    value, error = line.restricted_mean(line.tau_us)
    return Estimate(value_us=_ms(value), low_us=_ms(value - Z * error), high_us=_ms(value + Z * error))


def _geometric_mean(
    measured: Sequence[int], censored: Sequence[int], fitted: LogNormal | None, *, few: bool
) -> Estimate:
    """The fitted median. Where nothing was seen to last so long, the distribution only guesses on: like the median of
    the curve it is then not reached."""
    if few:
        return Estimate(absent=TOO_FEW)
    if fitted is None:
        below = any(each < 0 for each in measured)
        return Estimate(absent="some are below zero" if below else "fewer than two different durations are over")
    value, (low, high), longest = fitted.geometric_mean_us, fitted.interval_us, max(*measured, *censored)
    if value > longest:
        return Estimate(absent=NOT_REACHED, low_absent=NOT_REACHED, high_absent=NOT_REACHED)
    if high > longest:
        return Estimate(value_us=value, low_us=low, high_absent=NOT_REACHED)
    return Estimate(value_us=value, low_us=low, high_us=high)


def _warnings(average: Mean | None, censored: int) -> Iterable[str]:
    if average is None:
        return
    if average.times_median is not None and average.times_median >= SKEWED:
        yield f"The mean is {average.times_median:g} times the median: a few long incidents decide it."
    if censored:
        yield f"The mean leaves out {censored} that are not over, so it is too small; the restricted mean counts them."


def _either(bound: int | None, otherwise: int | None) -> int | None:
    return otherwise if bound is None else bound


def _ms(microseconds: float) -> int:
    """To the millisecond, so that the last digits of no processor show."""
    return round(microseconds / 1_000) * 1_000
