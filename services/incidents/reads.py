"""Several reads of the log at the same time, but not too many."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

# Enough to keep the server busy, few enough to leave room for others.
READS_AT_ONCE = 32

Loadable = TypeVar("Loadable")


class Reads:
    """Awaits many reads with `READS_AT_ONCE` under way."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(READS_AT_ONCE)

    async def each(self, loads: Iterable[Awaitable[Loadable]]) -> list[Loadable]:
        """What each gives, in their order."""

        async def one(load: Awaitable[Loadable]) -> Loadable:
            async with self._turns:
                return await load

        return await asyncio.gather(*map(one, loads))
