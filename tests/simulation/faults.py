"""What goes wrong: a log whose callers are interrupted before or after an append, and lose the answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

from events import Conflict, EventLog, Recorded, Stored, Write
from events.errors import LogUnavailable
from events.memory_log import MemoryLog

# A caller gives way this often at each call, so that others may come between.
PAUSES_MAX = 3


class Crash(Exception):
    """The process that made this call is gone. Nobody catches it but the world."""


class ForgetfulLog(MemoryLog):
    """A memory log that, like JetStream after its duplicate window, knows an id again only where a version check fails.

    Whatever is done once because ids are remembered is here done twice, so nothing may rest on that.
    """

    async def append(self, *writes: Write) -> int:
        """See `EventLog.append`."""
        remembered, self._ids = self._ids, {}
        try:
            return await super().append(*writes)
        except Conflict:
            ids = [event.id for write in writes for event in write.events]
            if not all(event_id in remembered for event_id in ids):
                raise
            return max(remembered[event_id] for event_id in ids)
        finally:
            self._ids = remembered | self._ids


class FaultyLog(EventLog):
    """A log seen by one process, on a bad day.

    Args:
        log: where appends go, when they go.
        random: the world's only source of chance.
        fault_rate: how likely an append is interrupted, on each side of it. The world lowers it to drain.
    """

    def __init__(self, log: MemoryLog, random: Random, fault_rate: float) -> None:
        self._log = log
        self._random = random
        self.fault_rate = fault_rate

    async def append(self, *writes: Write) -> int:
        """Append, or not, or append without an answer."""
        await self._give_way()
        self._maybe_fail("before it was stored")
        position = await self._log.append(*writes)
        self._maybe_fail("after it was stored")
        return position

    async def read(self, stream: str, *, after: int = 0) -> list[Recorded]:
        """Read, after others had their turn."""
        await self._give_way()
        return await self._log.read(stream, after=after)

    async def last(self, stream: str) -> Recorded | None:
        """See `EventLog.last`."""
        await self._give_way()
        return await self._log.last(stream)

    async def begun(self, streams: Sequence[str]) -> frozenset[str]:
        """See `EventLog.begun`."""
        await self._give_way()
        return await self._log.begun(streams)

    async def read_category(self, category: str, *, after: int = 0) -> list[Recorded]:
        """See `EventLog.read_category`."""
        await self._give_way()
        return await self._log.read_category(category, after=after)

    async def read_named(self, category: str, name: str, *, after: int = 0) -> list[Recorded]:
        """See `EventLog.read_named`."""
        await self._give_way()
        return await self._log.read_named(category, name, after=after)

    async def last_of(self, category: str, name: str) -> Recorded | None:
        """See `EventLog.last_of`."""
        await self._give_way()
        return await self._log.last_of(category, name)

    async def get(self, seq: int) -> Stored | None:
        """See `EventLog.get`."""
        return await self._log.get(seq)

    async def last_position(self) -> int:
        """See `EventLog.last_position`."""
        return await self._log.last_position()

    def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.follow`."""
        return self._log.follow(after=after)

    def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.bulk`."""
        return self._log.bulk(after=after, through=through)

    async def _give_way(self) -> None:
        for _ in range(self._random.randint(0, PAUSES_MAX)):
            await asyncio.sleep(0)

    def _maybe_fail(self, when: str) -> None:
        chance = self._random.random()
        if chance < self.fault_rate / 2:
            raise Crash(f"an append, {when}")
        if chance < self.fault_rate:
            raise LogUnavailable(f"no answer to an append, {when}")
