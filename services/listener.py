"""What every service that follows the log looks like, independent of how events reach it.

`services.broker` delivers from NATS, the simulation from memory. Delivery is at least once and may be out of order
between streams, so a listener asks the log for the present state instead of trusting the event's news.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from events import Recorded


class Listener(Protocol):
    """A service that answers facts."""

    name: str
    """Name of its durable consumer, and of its dead letters."""
    hears: tuple[str, ...]
    """Subject filters, such as ``evt.incident.>``."""

    async def on_event(self, event: Recorded) -> None:
        """Answer one event. Raising means that it will be delivered again, and set aside after several failures."""
        ...


@runtime_checkable
class BatchListener(Listener, Protocol):
    """A service that answers many facts at once, because one append for all of them costs far less."""

    async def on_events(self, events: Sequence[Recorded]) -> None:
        """Answer events in the order of their positions. Raising means that each will be delivered again."""
        ...
