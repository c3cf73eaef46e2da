"""Which receipts have been dealt with, as far as one copy of the service can tell.

Copies share one durable consumer, and after a crash old receipts come back behind newer ones. The decider wants to know
whether anything older than a receipt is still under way (`alert_decider.Arrival.settled`). A copy that handles
everything itself knows without asking.
"""

from collections.abc import Awaitable, Callable


class Lane:
    """The unbroken run of receipts that this copy has handled.

    Args:
        handled_through: asks the server up to which position every receipt was acknowledged.
    """

    def __init__(self, handled_through: Callable[[], Awaitable[int]]) -> None:
        self._handled_through = handled_through
        self._through = -1

    async def is_settled(self, first: int) -> bool:
        """Whether every receipt before a position has been dealt with, by this copy or another.

        Raises:
            LogUnavailable: the server does not say.
        """
        if self._through < first - 1:
            self._through = max(self._through, await self._handled_through())
        return self._through >= first - 1

    def handled(self, first: int, last: int) -> None:
        """This copy has dealt with every receipt from one position to another and acknowledged them."""
        if self._through >= first - 1:
            self._through = max(self._through, last)
