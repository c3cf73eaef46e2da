"""The fact that a durable timer fired. Stream ``timer.<timer_id>``; see `events.timers`."""

from datetime import datetime
from typing import ClassVar

from events.fact import Fact


class TimerFired(Fact, frozen=True, tag="timer.fired"):
    """A time that a service asked to be told of has come. It may be told more than once."""

    headline: ClassVar[str] = "timer for {purpose} fired"
    purpose: str
    """Which service's timer and what for: ``escalation``, ``shift``, ``page_retry``."""
    about: str
    """The stream it concerns, such as ``escalation.INC-42``."""
    due_at: datetime
    token: str = ""
    """What the service wants to hear again, such as ``run=1 round=0 level=2``."""


TimerFact = TimerFired
