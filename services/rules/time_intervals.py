"""Time intervals: when a route is muted or awake, by the clock on a wall somewhere.

Alertmanager's ``time_interval``: an interval is a list of entries of which one must fit; within an entry every field
that is given must fit; within a field one range must. Times are read in the interval's zone.
https://prometheus.io/docs/alerting/latest/configuration/#time_interval-0
"""

import calendar
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from events.errors import BadConfiguration

# Days to look ahead for the moment that an interval begins or ends: the 29th of February comes every eighth year at
# the rarest, and a year that is farther away is as good as never.
LOOK_AHEAD_DAYS = 3_660
# Changes of intervals to look at before a muted route is looked at again, muted or not: a month of nights.
CHANGES_MAX = 64

MINUTES_OF_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK_FROM_SUNDAY = ("sunday", *WEEKDAYS[:-1])
MONTHS = tuple(calendar.month_name[number].lower() for number in range(1, 13))
FIELDS = ("times", "weekdays", "days_of_month", "months", "years", "location")
HINT = "See docs/rules.md, 'Time intervals'."


class Range(msgspec.Struct, frozen=True):
    """From the first to the last, both included; for times of day the last minute is not."""

    first: int
    last: int

    def has(self, value: int) -> bool:
        """Whether a value lies in it, both ends included."""
        return self.first <= value <= self.last


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of an interval. An empty field asks nothing."""

    zone: str = "UTC"
    times: tuple[Range, ...] = ()
    """Minutes after midnight; the end is not included."""
    weekdays: tuple[Range, ...] = ()
    """Sunday is 0, as in Alertmanager, where a week begins with it."""
    days_of_month: tuple[Range, ...] = ()
    """1 to 31; -1 is the last day of the month."""
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()

    def has(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return self.has_minute(local.hour * 60 + local.minute) and self.has_day(local.date())

    def has_minute(self, minute: int) -> bool:
        """Whether a minute of a day lies in it."""
        return not self.times or any(each.first <= minute < each.last for each in self.times)

    def has_day(self, day: date) -> bool:
        """Whether a day lies in it."""
        weekday = (day.weekday() + 1) % 7
        return (
            (not self.weekdays or any(each.has(weekday) for each in self.weekdays))
            and (not self.months or any(each.has(day.month) for each in self.months))
            and (not self.years or any(each.has(day.year) for each in self.years))
            and (not self.days_of_month or any(_has_day_of_month(each, day) for each in self.days_of_month))
        )

    def edges(self, day: date) -> set[datetime]:
        """The moments of a local day at which it may begin or end."""
        zone = ZoneInfo(self.zone)
        minutes = {0, *(edge for each in self.times for edge in (each.first, each.last))}
        midnight = datetime.combine(day, time())
        walls = [midnight + timedelta(minutes=minute) for minute in minutes]
        # Where the clock is put back a wall time comes twice, where it is put forward it does not come at all; then
        # the moment of the change itself is an edge.
        found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for wall in walls for fold in (0, 1)}
        return found | set(_clock_changes(self.zone, day))


class TimeInterval(msgspec.Struct, frozen=True, kw_only=True):
    """A named interval."""

    name: str
    entries: tuple[Entry, ...]

    def has(self, moment: datetime) -> bool:
        """Whether the moment lies in it."""
        return any(entry.has(moment) for entry in self.entries)

    def next_change(self, moment: datetime) -> datetime | None:
        """The first moment after this one at which it begins or ends, in UTC; None when that is years away or never."""
        # Edges lie on whole minutes, so that everything asked within a minute has one answer.
        return _next_change(self, moment.astimezone(UTC).replace(second=0, microsecond=0))


def muted_by(muting: Sequence[TimeInterval], awake: Sequence[TimeInterval], moment: datetime) -> str | None:
    """Which interval keeps a route quiet at a moment, None when none does.

    It is muted within any of ``muting``, and, when there are ``awake`` ones, outside all of them.
    """
    for interval in muting:
        if interval.has(moment):
            return interval.name
    if awake and not any(interval.has(moment) for interval in awake):
        return ",".join(interval.name for interval in awake)
    return None


def awake_again(muting: Sequence[TimeInterval], awake: Sequence[TimeInterval], moment: datetime) -> datetime | None:
    """When a route that is muted is to be looked at again: when it stops being so, or weeks away while it does not.

    None when nothing changes any more within years.
    """
    # All of a minute have one answer, because intervals change on whole minutes.
    return _awake_again(tuple(muting), tuple(awake), moment.astimezone(UTC).replace(second=0, microsecond=0))


@lru_cache(maxsize=4096)
def _awake_again(
    muting: tuple[TimeInterval, ...], awake: tuple[TimeInterval, ...], moment: datetime
) -> datetime | None:
    changes = {each: each.next_change(moment) for each in (*muting, *awake)}
    after = moment
    for _ in range(CHANGES_MAX):
        coming = [change for change in changes.values() if change is not None]
        if not coming:
            return None
        after = min(coming)
        if muted_by(muting, awake, after) is None:
            return after
        changes |= {each: each.next_change(after) for each, change in changes.items() if change == after}
    return after


def parse_entry(value: Any, zone: str) -> Entry:
    """An entry as written: strings as in Alertmanager, times also as tables ``{start_time, end_time}``.

    Raises:
        BadConfiguration: names the field and what is expected.
    """
    if not isinstance(value, dict):
        raise _wrong("expected a table", repr(value))
    for name in value:
        if name not in FIELDS:
            raise _wrong(f"unknown field {name}; expected one of {', '.join(FIELDS)}", "")
    own = value.get("location", zone)
    check_zone(own)
    return Entry(
        zone=own,
        times=_ranges(value, "times", _times),
        weekdays=_ranges(value, "weekdays", lambda day: _named_range(day, _WEEK_FROM_SUNDAY, 0, "weekday")),
        days_of_month=_ranges(value, "days_of_month", _days_of_month),
        months=_ranges(value, "months", lambda month: _named_range(month, MONTHS, 1, "month")),
        years=_ranges(value, "years", _years),
    )


def check_zone(zone: Any) -> None:
    """Refuse what is no time zone.

    Raises:
        BadConfiguration: names what was given.
    """
    try:
        if not isinstance(zone, str):
            raise ValueError(zone)
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:
        raise _wrong("expected an IANA time zone such as Europe/Berlin", repr(zone)) from error


def _has_day_of_month(days: Range, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    first = length + days.first + 1 if days.first < 0 else days.first
    last = length + days.last + 1 if days.last < 0 else days.last
    # Alertmanager skips a range that begins after the end of the month, and cuts one that ends after it.
    return first <= length and first <= day.day <= min(last, length)


@lru_cache(maxsize=4096)
def _clock_changes(zone: str, day: date) -> tuple[datetime, ...]:
    """The moment of a local day at which its clock is put forward or back, to the minute."""
    there = ZoneInfo(zone)
    low = datetime.combine(day, time(), tzinfo=there).astimezone(UTC)
    high = datetime.combine(day + timedelta(days=1), time(), tzinfo=there).astimezone(UTC)

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(there).utcoffset()

    if offset(low) == offset(high):
        return ()
    while high - low > timedelta(minutes=1):
        middle = (low + (high - low) / 2).replace(second=0, microsecond=0)
        if offset(middle) == offset(low):
            low = middle
        else:
            high = middle
    return (high,)


@lru_cache(maxsize=4096)
def _next_change(interval: TimeInterval, moment: datetime) -> datetime | None:
    now = interval.has(moment)
    for number in range(LOOK_AHEAD_DAYS):
        day = moment.date() + timedelta(days=number)
        # Local days that a day of UTC has a part in, whatever the zone.
        around = (day - timedelta(days=1), day, day + timedelta(days=1))
        if all(_is_constant(entry, around) for entry in interval.entries):
            continue
        edges = {edge for entry in interval.entries for local in around for edge in entry.edges(local)}
        for edge in sorted(edge for edge in edges if edge > moment and edge.date() == day):
            if interval.has(edge) is not now:
                return edge
    return None


def _is_constant(entry: Entry, days: Sequence[date]) -> bool:
    """Whether an entry holds all the time of some days, or none of it."""
    held = [entry.has_day(day) for day in days]
    return not any(held) or (all(held) and not entry.times)


def _ranges(value: dict[str, Any], name: str, read: Callable[[Any], Range]) -> tuple[Range, ...]:
    if name not in value:
        return ()
    found = value[name]
    # An empty one would never fit in Alertmanager, which nobody means who writes it.
    if not isinstance(found, list) or not found:
        raise _wrong(f"{name}: expected a list of at least one", repr(found))
    try:
        return tuple(read(each) for each in found)
    except BadConfiguration as error:
        raise BadConfiguration(f"{name}: {error}", hint=error.hint) from error


def _times(value: Any) -> Range:
    if isinstance(value, dict):
        value = f"{value.get('start_time', '')}-{value.get('end_time', '')}"
    found = re.fullmatch(r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)", value.strip()) if isinstance(value, str) else None
    if found is None:
        raise _wrong('expected a time of day such as "22:00-24:00"', repr(value))
    ends = [int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])]
    if int(found[2]) > 59 or int(found[4]) > 59 or max(ends) > MINUTES_OF_DAY:
        raise _wrong("a time of day lies between 00:00 and 24:00", repr(value))
    if ends[0] >= ends[1]:
        raise _wrong('it must begin before it ends; over midnight are two: "22:00-24:00", "00:00-06:00"', repr(value))
    return Range(*ends)


def _named_range(value: Any, names: Sequence[str], base: int, what: str) -> Range:
    """``monday`` or ``monday:friday``; months also by number."""
    text = str(value).lower() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    ends = [part.strip() for part in text.split(":")]
    numbers = [
        names.index(part) + base if part in names else int(part) if base and part.isascii() and part.isdigit() else -1
        for part in ends
    ]
    if len(ends) not in (1, 2) or any(not base <= number < base + len(names) for number in numbers):
        raise _wrong(f"expected a {what} such as {names[1]}, or {names[1]}:{names[5]}", repr(value))
    if numbers[0] > numbers[-1]:
        begins = f"; a week begins with {names[0]}" if base == 0 else ""
        raise _wrong(f"the first {what} comes after the last{begins}", repr(value))
    return Range(numbers[0], numbers[-1])


def _days_of_month(value: Any) -> Range:
    ends = _numbers(value)
    if not ends or any(not 1 <= abs(day) <= 31 for day in ends):
        raise _wrong('expected days from 1 to 31, or -1 for the last, such as "1:5" or "-3:-1"', repr(value))
    if ends[0] < 0 < ends[-1]:
        raise _wrong("the last day must be negative when the first is", repr(value))
    first, last = (day if day > 0 else 32 + day for day in (ends[0], ends[-1]))
    if first > last:
        raise _wrong("the first day always comes after the last", repr(value))
    return Range(ends[0], ends[-1])


def _years(value: Any) -> Range:
    ends = _numbers(value)
    if not ends or any(not 1970 <= year <= 9999 for year in ends) or ends[0] > ends[-1]:
        raise _wrong('expected a year such as "2026", or "2026:2028"', repr(value))
    return Range(ends[0], ends[-1])


def _numbers(value: Any) -> list[int]:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"\s*(-?[0-9]{1,4})\s*(?::\s*(-?[0-9]{1,4})\s*)?", text)
    return [int(part) for part in found.groups() if part is not None] if found else []


def _wrong(problem: str, got: str) -> BadConfiguration:
    return BadConfiguration(f"{problem}, got {got}" if got else problem, hint=HINT)
