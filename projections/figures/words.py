"""Figures in words, the same on every door: durations in their two largest units, ``NR`` for what is not reached."""

from collections.abc import Mapping

from projections.figures.counted import Counted
from projections.figures.figure import NOT_REACHED, Estimate, Figure

NR = "NR"
"""Not reached: more last on than may, and how long they will is not known."""
NOTHING = "–"
MINUTE_US = 60_000_000
RATE_TIME_MIN_US = 86_400 * 1_000_000
"""A rate that was observed for less is not told, only its count."""

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(microseconds: int) -> str:
    """``2 h 4 min``, ``3 d``, ``42 s``, ``-4 min`` for what ended before it started; below a second, ``320 ms``."""
    sign, length = ("-" if microseconds < 0 else ""), abs(microseconds)
    if 0 < length < 999_500:
        return f"{sign}{max(round(length / 1_000), 1)} ms"
    seconds = round(length / 1_000_000)
    if seconds >= 86_400:  # hours are the smaller of the two units, so minutes are rounded away
        seconds = round(seconds / 3_600) * 3_600
    elif seconds >= 3_600:
        seconds = round(seconds / 60) * 60
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            below, below_size = _UNITS[min(place + 1, len(_UNITS) - 1)]
            rest = seconds % size // below_size
            return f"{sign}{seconds // size} {unit}" + (f" {rest} {below}" if rest else "")
    return "0 s"


def value(estimate: Estimate) -> str:
    """An estimate: its duration, ``NR``, or a dash for what cannot be said."""
    return _end(estimate.value_us, estimate.absent)


def interval(estimate: Estimate) -> str:
    """Its 95 % interval: ``1 h to 2 h``, ``1 h to NR``; empty when neither end can be said."""
    if estimate.low_us is None and estimate.high_us is None and estimate.high_absent != NOT_REACHED:
        return ""
    return f"{_end(estimate.low_us, estimate.low_absent)} to {_end(estimate.high_us, estimate.high_absent)}"


def why_absent(estimate: Estimate) -> str:
    """Why something of it is missing, besides what is only not reached; empty when nothing is."""
    reasons = (estimate.absent, estimate.low_absent, estimate.high_absent)
    return next((reason for reason in reasons if reason and reason != NOT_REACHED), "")


def counts(reasons: Mapping[str, int]) -> str:
    """``2 dismissed, 1 merged into INC-7``; empty for none."""
    return ", ".join(f"{count} {reason}" for reason, count in reasons.items())


def values(figure: Figure) -> str:
    """The raw values of a figure that has too few for more: ``3 min, 7 min, more than 5 min (not over)``."""
    ended = [duration(each) for each in figure.values_us or ()]
    going_on = [f"more than {duration(each)} (not over)" for each in figure.lasting_us or ()]
    return ", ".join(ended + going_on)


def share(figure: Counted) -> str:
    """A proportion in percent, a rate with two digits, a mean and minutes with one; a dash of nothing, and of less than
    a day."""
    if figure.kind == "minutes":
        return f"{figure.part / MINUTE_US:.1f}"
    if figure.kind == "per person":
        return f"{figure.part / figure.whole:.1f}" if figure.whole else NOTHING
    return _number(figure, figure.share.value) if figure.share and _is_long_enough(figure) else NOTHING


def share_interval(figure: Counted) -> str:
    """Its 95 % interval; empty where `share` is a dash, and for what is no estimate."""
    if not (figure.share and _is_long_enough(figure)):
        return ""
    return f"{_number(figure, figure.share.low)} to {_number(figure, figure.share.high)}"


def basis(figure: Counted) -> str:
    """What it was counted in: ``3 of 41``, ``3 in 92 d``, ``12 to 3 people``, ``over 4 incidents``."""
    match figure.kind:
        case "proportion":
            return f"{figure.part} of {figure.whole}"
        case "rate":
            return f"{figure.part} in {duration(figure.whole)}"
        case "per person":
            return f"{figure.part} to {figure.whole} {'person' if figure.whole == 1 else 'people'}"
        case "minutes":
            lasting = f", {figure.lasting} of them not over" if figure.lasting else ""
            return f"over {figure.whole} {'incident' if figure.whole == 1 else 'incidents'}{lasting}"


def _is_long_enough(figure: Counted) -> bool:
    """A rate for thirty days that was seen for some minutes would be a number without a meaning."""
    return figure.kind != "rate" or figure.whole >= RATE_TIME_MIN_US


def _number(figure: Counted, number: float) -> str:
    return percent(number) if figure.kind == "proportion" else f"{number:.2g}"


def percent(proportion: float) -> str:
    """``42 %``; what is neither nothing nor all is not rounded to it: ``0.2 %``, ``99.9 %``, ``< 0.1 %``."""
    hundredths = 100 * proportion
    if 0 < hundredths < 0.05:
        return "< 0.1 %"
    if 99.95 <= hundredths < 100:
        return "> 99.9 %"
    near_an_end = 0 < hundredths < 1 or 99 < hundredths < 100
    return f"{hundredths:.1f} %" if near_an_end else f"{hundredths:.0f} %"


def _end(microseconds: int | None, absent: str) -> str:
    if microseconds is not None:
        return duration(microseconds)
    return NR if absent == NOT_REACHED else NOTHING
