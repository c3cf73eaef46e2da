"""A survival curve as points of an SVG, made on the server: which part is not over after so long, with its band."""

import math
from collections.abc import Sequence

import msgspec

from projections.figures.survival import Curve, Step
from projections.figures.words import duration

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 10, 26
"""Room around the curve, for the words of the axes."""
POINTS_MAX = 300
"""More steps than this cannot be told apart at this width."""

_SECOND = 1_000_000
_TICKS_S = (
    1,
    10,
    60,
    300,
    1_800,
    7_200,
    28_800,
    86_400,
    3 * 86_400,
    7 * 86_400,
    30 * 86_400,
    90 * 86_400,
    365 * 86_400,
)
_TICK_GAP = 52


class Tick(msgspec.Struct, frozen=True):
    """A word beside an axis."""

    place: float
    label: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """What the template draws; all numbers are pixels of the view box."""

    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    line: str
    """Points of the polyline."""
    band: str
    """Points of the polygon; empty where no interval is defined."""
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    median: float | None
    """Where the median lies, when it is reached."""


def draw(curve: Curve, median_us: int | None) -> Drawing | None:
    """The drawing of a curve; None when nothing of it is over."""
    if not curve.steps:
        return None
    scale = _Scale(curve.lengths)
    steps = _thinned(curve.steps)
    end = scale.across(curve.lengths[-1])
    return Drawing(
        line=_points(_stairs([(scale.across(step.duration_us), step.survival) for step in steps], end)),
        band=_band(steps, scale, end),
        across=scale.ticks(),
        up=tuple(Tick(_up(share), f"{share:.0%}") for share in (0, 0.5, 1)),
        median=None if median_us is None else scale.across(median_us),
    )


class _Scale:
    """Durations across: by their logarithm, because one incident may last a thousand times as long as another."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._first, self._last = lengths[0], max(lengths[-1], lengths[0] + _SECOND)
        # What ended before it started has no logarithm.
        self._is_log = self._first >= 0
        self._low, self._high = self._of(self._first), self._of(self._last)
        if self._is_log:
            # Some room before the first end, where all still last.
            self._low -= (self._high - self._low) * 0.06 + 0.05

    def across(self, length_us: int) -> float:
        share = (self._of(length_us) - self._low) / (self._high - self._low or 1.0)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[Tick, ...]:
        wanted = [each * _SECOND for each in _TICKS_S] if self._is_log else self._even()
        shown: list[Tick] = []
        for each in wanted:
            if self._low < self._of(each) <= self._high:
                tick = Tick(self.across(each), duration(each))
                if not shown or tick.place - shown[-1].place >= _TICK_GAP:
                    shown.append(tick)
        return tuple(shown)

    def _of(self, length_us: int) -> float:
        return math.log(max(length_us, _SECOND)) if self._is_log else float(length_us)

    def _even(self) -> list[int]:
        span = self._last - self._first
        return [self._first + span * part // 4 for part in range(5)]


def _up(share: float) -> float:
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def _stairs(steps: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """From the left edge at 100 %, level to each step and then down, to the last length that is known."""
    points, level = [(float(LEFT), _up(1.0))], _up(1.0)
    for place, share in steps:
        points.append((place, level))
        level = _up(share)
        points.append((place, level))
    points.append((max(end, points[-1][0]), level))
    return points


def _band(steps: Sequence[Step], scale: _Scale, end: float) -> str:
    banded = [(scale.across(step.duration_us), step.band) for step in steps if step.band is not None]
    if not banded:
        return ""
    last = next((scale.across(step.duration_us) for step in steps if step.ended), end)
    upper = _stairs([(place, band[1]) for place, band in banded], last)[1:]
    lower = _stairs([(place, band[0]) for place, band in banded], last)[1:]
    return _points(upper + list(reversed(lower)))


def _thinned(steps: Sequence[Step]) -> list[Step]:
    every = -(-len(steps) // POINTS_MAX)
    kept = list(steps[::every])
    return kept if kept[-1] is steps[-1] else [*kept, steps[-1]]


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
