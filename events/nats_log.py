"""The event log on NATS JetStream: one stream, written by `nats_append`, read by `nats_direct_get` and, long stretches
of it, by `nats_bulk`, followed by `nats_follow`."""

from collections.abc import AsyncIterator, Sequence

import nats.errors
from nats.aio.client import Client

from events import nats_bulk
from events.errors import LogUnavailable
from events.log import NOTHING, Write
from events.nats_append import APPEND_TIMEOUT_S, Appender
from events.nats_direct_get import ANSWER_TIMEOUT_S, BATCH_MAX, DirectGet
from events.nats_follow import Follower, stored_from_delivery
from events.nats_streams import EVENTS
from events.recorded import Recorded, Stored, decode
from events.subjects import every_fact_of, every_stream_of, stream_from_subject

__all__ = ["APPEND_TIMEOUT_S", "NatsLog", "stored_from_delivery"]

# Each may have a subject for every type of fact of its category, and an answer holds at most 1,024.
STREAMS_ASKED_AT_ONCE = 64


class NatsLog:
    """An `EventLog` on the stream EVENTS.

    Args:
        client: a connected client with `max_reconnect_attempts=-1` and an `error_cb`: a forbidden publish shows only
            there.
        append_timeout_s: how long an append tries before it raises `LogUnavailable`.
    """

    def __init__(self, client: Client, *, append_timeout_s: float = APPEND_TIMEOUT_S) -> None:
        self._client = client
        self._js = client.jetstream(timeout=ANSWER_TIMEOUT_S)
        self._direct = DirectGet(client, EVENTS)
        self._appender = Appender(client, self._direct, timeout_s=append_timeout_s)
        self._follower = Follower(client, EVENTS)

    async def append(self, *writes: Write) -> int:
        """See `EventLog.append`."""
        return await self._appender.append(writes)

    async def read(self, stream: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read`."""
        return [decode(stored) for stored in await self._direct.matching(every_fact_of(stream), after=after)]

    async def last(self, stream: str) -> Recorded | None:
        """See `EventLog.last`."""
        stored = await self._direct.last(every_fact_of(stream))
        return decode(stored) if stored else None

    async def begun(self, streams: Sequence[str]) -> frozenset[str]:
        """See `EventLog.begun`."""
        found: set[str] = set()
        for first in range(0, len(streams), STREAMS_ASKED_AT_ONCE):
            filters = [every_fact_of(stream) for stream in streams[first : first + STREAMS_ASKED_AT_ONCE]]
            found |= {stream_from_subject(subject) for subject in await self._direct.subjects_of(filters)}
        return frozenset(found)

    async def read_category(self, category: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read_category`."""
        return [decode(stored) for stored in await self._direct.matching(every_stream_of(category), after=after)]

    async def read_named(self, category: str, name: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read_named`."""
        return [decode(stored) for stored in await self._direct.matching(f"evt.{category}.*.{name}", after=after)]

    async def last_of(self, category: str, name: str) -> Recorded | None:
        """See `EventLog.last_of`."""
        stored = await self._direct.last(f"evt.{category}.*.{name}")
        return decode(stored) if stored else None

    async def get(self, seq: int) -> Stored | None:
        """See `EventLog.get`."""
        return await self._direct.at(seq)

    async def last_position(self) -> int:
        """See `EventLog.last_position`."""
        try:
            return int((await self._js.stream_info(EVENTS)).state.last_seq)
        except (nats.errors.Error, TimeoutError) as error:
            raise LogUnavailable(f"the log does not say how long it is: {error!r}") from error

    def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.follow`."""
        return self._follower.follow(after=after)

    async def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.bulk`."""
        if nats_bulk.can_read(self._client):
            async for stretch in nats_bulk.read(self._client, EVENTS, after=after, through=through):
                yield stretch
            return
        position = after
        while position < through:
            batch = await self._direct.batch(position + 1, min(BATCH_MAX, through - position))
            if not batch:
                return
            position = batch[-1].seq
            yield batch
