"""Facts about orders that made something new. Stream ``order.<key of the order's id>``.

An order about something that exists is known again on its stream, because the facts name it as their cause. One that
makes something new has no such stream yet; this guard, appended in the same atomic batch, is what lets it be done once.
"""

from typing import ClassVar

from events.fact import Fact


class OrderCarriedOut(Fact, frozen=True, tag="order.carried_out"):
    """An order made something new, and will not do so again."""

    headline: ClassVar[str] = "order {order_id} made {target}"
    order_id: str
    """Chosen by who asked."""
    target: str
    """What it made, such as ``INC-42``."""


OrderFact = OrderCarriedOut
