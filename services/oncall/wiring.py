"""Puts on-call to work in a process."""

from typing import Any

import msgspec
from faststream.nats import NatsMessage

from services.broker import attach
from services.command import COMMAND_ROOT, Answer, Order, Refused
from services.context import Context
from services.notifier.commands import ContactRules, find_channels
from services.oncall.service import OnCall

# Orders wait for the log, not for the processor; a slow one must not hold up the others.
ORDERS_AT_ONCE = 16

_ORDER = msgspec.json.Decoder(Order)


async def attach_oncall(context: Context) -> OnCall:
    """Have a process run on-call: catch up with hand-overs, then hear. Call it before the broker starts."""
    settings = context.settings
    oncall = OnCall(
        context.log,
        context.timers,
        context.clock,
        context.keyring,
        contacts=ContactRules(find_channels(frozenset(settings.channels.allow))),
        threshold=settings.paging.severity,
    )
    await oncall.start()
    await attach(context.broker, context.client, context.log, oncall)

    @context.broker.subscriber(
        f"{COMMAND_ROOT}.oncall.*",
        queue="oncall",
        max_workers=ORDERS_AT_ONCE,
        decoder=_as_it_came,
        title="oncall orders",
    )
    async def on_order(message: NatsMessage) -> bytes:
        verb = message.raw_message.subject.rpartition(".")[2]
        return msgspec.json.encode(await answer(oncall, verb, message.body))

    return oncall


async def answer(oncall: OnCall, verb: str, body: bytes) -> Answer:
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
    return await oncall.handle(order, verb)


async def _as_it_came(message: Any) -> bytes:
    # The default decoder guesses from the bytes; a malformed order must reach the handler, to be answered.
    return bytes(message.body)
