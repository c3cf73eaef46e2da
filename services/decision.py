"""Load, decide, append: the one loop in which every service writes.

A decision rests on the streams it loaded. If somebody else appended to one of them meanwhile, everything is loaded and
decided again, so a decision is never stored on a state that it did not see.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from events import Conflict, Event, EventLog, Fact, Write
from events.fact import tag_of
from events.ids import derived_event_id
from services.command import Order

# Losing this often in a row means that something else is wrong: report it instead of spinning.
CONFLICTS_MAX = 20

Outcome = TypeVar("Outcome")


async def decide_and_append(
    log: EventLog, attempt: Callable[[], Awaitable[tuple[tuple[Write, ...], Outcome]]]
) -> tuple[int, Outcome]:
    """Run ``attempt`` until its writes are stored on the versions it loaded.

    Args:
        log: where to append.
        attempt: loads what it needs and returns the writes (none when there is nothing to say) and its outcome.

    Returns:
        The position of the last event stored, 0 when nothing was written; and the outcome.

    Raises:
        Conflict: lost `CONFLICTS_MAX` times in a row.
    """
    for tries_left in reversed(range(CONFLICTS_MAX)):
        writes, outcome = await attempt()
        if not writes:
            return 0, outcome
        try:
            return await log.append(*writes), outcome
        except Conflict:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def event_of(order: Order, fact: Fact, *, source: str, happened_at: datetime | None = None, part: str = "") -> Event:
    """What a service says in answer to an order: carried out again, it has the same id.

    Args:
        order: the answered one.
        fact: what it comes to.
        source: the service.
        happened_at: when it happened, where that is not for the order to say.
        part: tells several facts of one order apart; its tag when left out.
    """
    return Event(
        id=derived_event_id(order.id, part or tag_of(type(fact))),
        fact=fact,
        happened_at=happened_at or order.happened_at or order.issued_at,
        source=source,
        actor=order.actor,
        auth_id=order.auth_id,
        causation_id=order.id,
    )
