"""How a service hears orders from the bus: ``cmd.<service>.<verb>``, answered also when they cannot be read."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from faststream.nats import NatsBroker, NatsMessage

from events.errors import RecountError
from services.broker import as_it_came
from services.command import COMMAND_ROOT, Answer, Order, Refused

# Orders wait for the log, not for the processor; a slow one must not hold up the others.
ORDERS_AT_ONCE = 32

Handle: TypeAlias = Callable[[Order, str], Awaitable[Answer]]
"""Carries out an order, given its verb. Never raises what the asker could be told."""

logger = logging.getLogger("recount")

_ORDER = msgspec.json.Decoder(Order)


def hear_orders(broker: NatsBroker, service: str, handle: Handle) -> None:
    """Have a service answer its orders, shared with its other copies. Call it before the broker starts."""

    @broker.subscriber(
        f"{COMMAND_ROOT}.{service}.*",
        queue=service,
        max_workers=ORDERS_AT_ONCE,
        decoder=as_it_came,
        title=f"{service} orders",
    )
    async def on_order(message: NatsMessage) -> bytes:
        verb = message.raw_message.subject.rpartition(".")[2]
        return msgspec.json.encode(await answer(handle, verb, message.body))


async def answer(handle: Handle, verb: str, body: bytes) -> Answer:
    """The answer to an order as it came, also when it is none. Whatever happens: who hears nothing waits for it."""
    asked = f"Cannot carry out {verb!r}"
    try:
        order = _ORDER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refused(
            asked=asked,
            because=f"the order cannot be read: {error}",
            instead="send id, actor, issued_at, target and command as JSON",
            code="invalid",
        )
    try:
        return await handle(order, verb)
    except RecountError as error:
        # Such as an id that was another order's: however often it is asked, this cannot be stored.
        return Refused(asked=asked, because=str(error), instead=error.hint or "ask for something else", code="invalid")
    except Exception as error:
        logger.error("orders: %r failed", verb, exc_info=error)
        return Refused(
            asked=asked,
            because="something unexpected went wrong; the reason is in the log of the actors process",
            instead="send it again, as it was",
            code="unavailable",
        )
