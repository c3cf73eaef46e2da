"""How the incidents service hangs on the broker."""

from typing import Any

import msgspec
from faststream.nats import NatsMessage

from services.broker import attach
from services.command import COMMAND_ROOT, Answer, Order, Refused
from services.context import Context
from services.incidents.grouping import Rules
from services.incidents.service import Incidents

# Orders wait for the log, not for the processor; a slow one must not hold up the others.
ORDERS_AT_ONCE = 32

_ORDER = msgspec.json.Decoder(Order)


async def attach_incidents(context: Context) -> Incidents:
    """Have a process run the incidents service. Call it before the broker starts."""
    grouping = context.settings.grouping
    rules = Rules(opens_at=grouping.opens_at, severity=dict(grouping.severity))
    incidents = Incidents(context.log, context.clock, rules)
    await attach(context.broker, context.client, context.log, incidents)

    @context.broker.subscriber(
        f"{COMMAND_ROOT}.incident.*",
        queue="incidents",
        max_workers=ORDERS_AT_ONCE,
        decoder=_as_it_came,
        title="incident orders",
    )
    async def on_order(message: NatsMessage) -> bytes:
        verb = message.raw_message.subject.rpartition(".")[2]
        return msgspec.json.encode(await answer(incidents, verb, message.body))

    return incidents


async def answer(incidents: Incidents, verb: str, body: bytes) -> Answer:
    """The answer to an order as it came, also when it is none."""
    try:
        order = _ORDER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refused(
            asked=f"Cannot carry out {verb!r}",
            because=f"the order cannot be read: {error}",
            instead="send id, actor, issued_at, target and command as JSON",
            code="invalid",
        )
    return await incidents.handle(order, verb)


async def _as_it_came(message: Any) -> bytes:
    # The default decoder guesses from the bytes; a malformed order must reach the handler, to be answered.
    return bytes(message.body)
