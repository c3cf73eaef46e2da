"""How the projector hangs in a process."""

from pathlib import Path

from services.context import Context
from services.projector.service import Projector

WAREHOUSE = Path("warehouse") / "recount.duckdb"
"""Where the warehouse lies in the data folder."""


async def attach_projector(context: Context) -> Projector:
    """Have a process keep a warehouse. It follows at once; `Projector.stop` ends it."""
    projector = Projector(context.log, context.keyring, context.data / WAREHOUSE, context.settings.snapshot)
    await projector.start()
    return projector
