"""Periods in which incidents started, as people write them: ``2026-02``, ``2026-Q1``, ``2026-W07``, ``2026``,
``2026-02-14``, or from one day to before another, ``2026-02-01..2026-02-15``. All are UTC, and end where the next
begins."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from events import RecountError

YEAR_MIN, YEAR_MAX = 1970, 9998


class BadPeriod(RecountError):
    """A text is no period or no time."""

    hint = (
        "Write 2026-02, 2026-Q1, 2026-W07, 2026, 2026-02-14, or 2026-02-01..2026-02-15 (before the second day), in UTC."
    )


class Period(msgspec.Struct, frozen=True):
    """A span of time, from its first moment to before the first one after it; UTC without a zone."""

    label: str
    start: datetime
    end: datetime


def parse_period(text: str) -> Period:
    """The period that a text means.

    Raises:
        BadPeriod: it means none, or ends before it starts.
    """
    label = text.strip()
    try:
        start, end = _ends(label)
    except (ValueError, OverflowError) as error:
        raise BadPeriod(f"{text[:60]!r} is no period") from error
    if end <= start:
        raise BadPeriod(f"the period {label} ends before it starts")
    return Period(label, start, end)


def parse_start(text: str) -> datetime:
    """A day or an ISO 8601 time as a moment, UTC without a zone; without an offset it is UTC.

    Raises:
        BadPeriod: it is neither.
    """
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError) as error:
        raise BadPeriod(f"{text[:60]!r} is no day and no time") from error


def _ends(text: str) -> tuple[datetime, datetime]:
    if ".." in text:
        start, _, end = text.partition("..")
        return parse_start(start), parse_start(end)
    if found := re.fullmatch(r"([0-9]{4})", text):
        return _year(found[1]), _year(found[1]).replace(year=int(found[1]) + 1)
    if found := re.fullmatch(r"([0-9]{4})-Q([1-4])", text, re.IGNORECASE):
        return _months(found[1], int(found[2]) * 3 - 2, 3)
    if found := re.fullmatch(r"([0-9]{4})-([0-9]{2})", text):
        return _months(found[1], int(found[2]), 1)
    if found := re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text, re.IGNORECASE):
        monday = datetime.fromisocalendar(_year(found[1]).year, int(found[2]), 1)
        return monday, monday + timedelta(days=7)
    if found := re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        day = datetime.fromisoformat(text)
        return day, day + timedelta(days=1)
    raise ValueError(text)


def _year(text: str) -> datetime:
    if not YEAR_MIN <= int(text) <= YEAR_MAX:
        raise ValueError(text)
    return datetime(int(text), 1, 1)


def _months(year: str, first: int, count: int) -> tuple[datetime, datetime]:
    start = _year(year).replace(month=first)
    after = first - 1 + count
    return start, start.replace(year=start.year + after // 12, month=after % 12 + 1)
