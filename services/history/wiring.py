"""How the history service hangs on the broker."""

from services.context import Context
from services.history.service import History
from services.orders import hear_orders


async def attach_history(context: Context) -> History:
    """Have a process run the history service. Call it before the broker starts."""
    history = History(context.log)
    hear_orders(context.broker, "history", history.handle)
    return history
