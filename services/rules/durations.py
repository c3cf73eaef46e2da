"""Durations as Prometheus writes them: ``30s``, ``1h30m``, ``2d``."""

import re
from datetime import timedelta

from events.errors import BadConfiguration

# Days. A wait, window or silence that is longer was meant to be another unit.
DURATION_DAYS_MAX = 366

_DURATION = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
# More digits than any unit needs within a year; longer numbers only overflow.
_DIGITS_MAX = 11


def parse_duration(text: str) -> timedelta:
    """``1h30m`` as a duration; ``0`` needs no unit.

    Raises:
        BadConfiguration: it is none, or too long.
    """
    found = _DURATION.fullmatch("0s" if text == "0" else text.strip())
    if found is None or not any(found.groups()):
        raise BadConfiguration(
            f'expected a duration such as "30s" or "1h30m", got {text!r}',
            hint="The units are w, d, h, m, s and ms, the greatest first.",
        )
    parts = {unit: int(part[:_DIGITS_MAX]) for unit, part in zip(_UNITS, found.groups(), strict=True) if part}
    try:
        duration = timedelta(**parts)
    except OverflowError:
        duration = timedelta.max
    if duration > timedelta(days=DURATION_DAYS_MAX):
        raise BadConfiguration(f"expected at most {DURATION_DAYS_MAX} days, got {text!r}", hint="Is the unit right?")
    return duration


def duration_text(duration: timedelta) -> str:
    """A duration of whole milliseconds as `parse_duration` reads it: ``1h30m``; the weeks count as days."""
    left, parts = duration // timedelta(milliseconds=1), list[str]()
    for unit, milliseconds in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, left = divmod(left, milliseconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
