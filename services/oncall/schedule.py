"""Who is on call: pure calendar arithmetic over a rotation as it was configured.

Members hand over at a wall-clock time in the rotation's zone, every so many calendar days, so a hand-over at 09:00
stays at 09:00 when the clocks change and that shift is an hour shorter or longer. The rules for the two odd days are
GoAlert's (goalert PR #1252 and util/timeutil/clock.go): a time that occurs twice counts when it occurs first, and a
time that is skipped counts as the first instant after the gap.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from events.oncall import RotationConfigured

# No zone has ever moved its clocks by more than a day (Samoa skipped one in 2011, standing still at midnight).
GAP_MAX = timedelta(days=1, hours=1)


class Shift(msgspec.Struct, frozen=True):
    """One person's turn; it ends when the next begins."""

    person_id: str
    starts_at: datetime
    ends_at: datetime


def who_is_on_call(rotation: RotationConfigured, moment: datetime) -> Shift | None:
    """The shift that covers a moment: it has begun and has not ended. None before the first, and without members."""
    if not rotation.members or moment < rotation.starts_at:
        return None
    first_day = _first_day(rotation)
    number = max(0, (moment.astimezone(ZoneInfo(rotation.zone)).date() - first_day).days // rotation.shift_days)
    # By its date a moment falls into this shift or, while the hand-over of that day is still to come, the one before.
    if number and moment < _starts_at(rotation, number):
        number -= 1
    return Shift(
        rotation.members[number % len(rotation.members)],
        _starts_at(rotation, number),
        _starts_at(rotation, number + 1),
    )


def next_change(rotation: RotationConfigured, moment: datetime) -> datetime | None:
    """The first hand-over after a moment; None when there will be none, because the rotation has no members."""
    if not rotation.members:
        return None
    shift = who_is_on_call(rotation, moment)
    return shift.ends_at if shift else rotation.starts_at.astimezone(UTC)


def from_wall_clock(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which a zone's clocks first show a time on a day; the end of the gap if they skip it."""
    first = datetime.combine(day, clock.replace(fold=0, tzinfo=None), zone)
    instant = first.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == first.replace(tzinfo=None):
        return instant
    # The time is skipped. In a gap `fold=0` is read with the offset of before, so the instant lies after the gap by as
    # much as the time lies in it; halve until the jump itself is found.
    before, after = instant - GAP_MAX, instant
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def _starts_at(rotation: RotationConfigured, number: int) -> datetime:
    if number == 0:
        return rotation.starts_at.astimezone(UTC)
    zone = ZoneInfo(rotation.zone)
    day = _first_day(rotation) + timedelta(days=number * rotation.shift_days)
    return from_wall_clock(day, rotation.starts_at.astimezone(zone).time(), zone)


def _first_day(rotation: RotationConfigured) -> date:
    return rotation.starts_at.astimezone(ZoneInfo(rotation.zone)).date()
