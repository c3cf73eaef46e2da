"""Puts on-call to work in a process."""

from services.broker import attach
from services.context import Context
from services.notifier.commands import ContactRules, find_channels
from services.oncall.service import OnCall
from services.orders import hear_orders


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
    hear_orders(context.broker, "oncall", oncall.handle)
    return oncall
