"""How the incidents service hangs on the broker."""

from services.broker import attach
from services.context import Context
from services.incidents.grouping import Rules
from services.incidents.service import Incidents
from services.orders import hear_orders


async def attach_incidents(context: Context) -> Incidents:
    """Have a process run the incidents service. Call it before the broker starts."""
    grouping = context.settings.grouping
    rules = Rules(opens_at=grouping.opens_at, severity=dict(grouping.severity))
    incidents = Incidents(context.log, context.clock, rules, context.timers)
    await attach(context.broker, context.client, context.log, incidents)
    hear_orders(context.broker, "incident", incidents.handle)
    return incidents
