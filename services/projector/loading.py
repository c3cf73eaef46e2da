"""Filling a warehouse with a long stretch of the log, without refreshing anything on the way."""

import asyncio
from collections.abc import Callable, Sequence

from events import EventLog, Stored
from projections.warehouse import Warehouse

# Row groups of DuckDB that are written at once; as many are read meanwhile, and both are held in memory, some 400 MB.
# From one row group a table on, what is written goes straight to its place in the file instead of through the
# write-ahead log.
LOAD_EVENTS = 4 * 122_880

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""


async def load_through(
    warehouse: Warehouse,
    log: EventLog,
    last: int,
    progress: Progress = lambda _done, _total: None,
    computed: Progress = lambda _done, _total: None,
) -> None:
    """Copy the log up to a position and compute every projection of it.

    The next stretch is read from the log while the one before is written. What was broken off goes on from the
    warehouse's position.

    Args:
        warehouse: to fill.
        log: where the events are.
        last: the position to reach.
        progress: told how many events are copied, of how many.
        computed: told how many projections are computed, of how many.
    """
    loading: asyncio.Task[None] | None = None
    waiting: list[Sequence[Stored]] = []

    async def flush() -> None:
        nonlocal loading, waiting
        if loading is not None:
            await loading
            progress(warehouse.position, last)
        loading = asyncio.create_task(asyncio.to_thread(warehouse.load, *waiting))
        waiting = []

    progress(warehouse.position, last)
    try:
        async for batch in log.bulk(after=warehouse.position, through=last):
            waiting.append(batch)
            if sum(map(len, waiting)) >= LOAD_EVENTS:
                await flush()
        if waiting:
            await flush()
    finally:
        if loading is not None:
            await loading
    await asyncio.to_thread(warehouse.rebuild, computed)
    progress(warehouse.position, last)
