"""The clock, so that everything that needs the time can be given one (tests give a fake)."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, in UTC, with a zone."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class FakeClock:
    """A clock that stands still until it is moved; for tests, the demo and the simulation."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self.moment
