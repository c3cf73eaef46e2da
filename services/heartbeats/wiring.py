"""Puts heartbeats to work in a process."""

from events.nats_intake import handled_through
from events.nats_intake_reading import received_through
from services.broker import attach
from services.context import Context
from services.heartbeats.service import Heartbeats
from services.orders import hear_orders
from services.sign_of_life import SignOfLife

# The durable consumer of intake's translators.
TRANSLATORS = "intake"


async def attach_heartbeats(context: Context) -> Heartbeats:
    """Have a process watch heartbeats. Call it before the broker starts."""
    js = context.client.jetstream()
    heartbeats = Heartbeats(
        context.log,
        context.timers,
        context.clock,
        SignOfLife(context.timers),
        received_through=lambda: received_through(js),
        dealt_with_through=lambda: handled_through(js, TRANSLATORS),
    )
    await attach(context.broker, context.client, context.log, heartbeats)
    hear_orders(context.broker, heartbeats.name, heartbeats.handle)
    return heartbeats
