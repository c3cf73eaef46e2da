"""A sign that intake's door can receive: what tells a sender that was silent from one that nobody could hear.

The door renews a durable timer every few seconds, which says since when it has been open without a break. When no door
renews it, the timer fires, so the log holds that nobody could be heard.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from events.timers import Timer, Timers

TIMER_ID = "intake-door"
PURPOSE = "intake_door"

# Seconds between two signs. One costs a message on TIMERS, which keeps only the last.
SIGN_EVERY_S = 5.0
# A break shorter than this is none: two signs, and as long as a sender tries again by itself (curl --retry 3: 7 s).
BREAK_MAX = timedelta(seconds=10)
# How long without a sign until the log is told. Longer than any restart.
TOLD_AFTER = timedelta(seconds=60)


class Open(msgspec.Struct, frozen=True):
    """The door, when it last gave a sign."""

    since: datetime
    """Since when it had been open without a break."""
    at: datetime
    """When it gave the sign."""


class SignOfLife:
    """Gives and reads the sign.

    Args:
        timers: where it lies.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers

    async def give(self, now: datetime) -> Open:
        """Say that the door is open. Several doors are one: it is open while any of them is.

        Raises:
            LogUnavailable: no answer, and then nobody can be received either.
        """
        before = await self.read()
        is_unbroken = before is not None and now - before.at <= BREAK_MAX
        sign = Open(before.since if before and is_unbroken else now, now)
        await self._timers.set(
            Timer(
                id=TIMER_ID,
                due_at=now + TOLD_AFTER,
                purpose=PURPOSE,
                about="system.intake",
                token=f"{sign.since.isoformat()} {sign.at.isoformat()}",
            )
        )
        return sign

    async def read(self) -> Open | None:
        """The last sign; None when none was given for so long that the timer fired.

        Raises:
            LogUnavailable: no answer.
        """
        waiting = await self._timers.waiting(TIMER_ID)
        if waiting is None:
            return None
        since, _, at = waiting.token.partition(" ")
        with suppress(ValueError):
            return Open(datetime.fromisoformat(since).astimezone(UTC), datetime.fromisoformat(at).astimezone(UTC))
        return None
