"""The event log in memory: for tests, the simulation and counterfactual replay. Same contract as JetStream's.

Positions are numbered as JetStream numbers them, across all streams; time comes from the caller.
"""

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from events.errors import Conflict, InvalidEvent
from events.log import EVENTS_PER_APPEND_MAX, NOTHING, Write
from events.recorded import Recorded, Stored, decode, encode
from events.subjects import stream_from_subject

BATCH_EVENTS_MAX = 1_000


class MemoryLog:
    """An `EventLog` that forgets everything when the process ends.

    Args:
        now: the clock that stamps ``recorded_at``.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._stored: list[Stored] = []
        self._streams: dict[str, list[int]] = {}
        self._named: dict[tuple[str, str], list[int]] = {}
        self._ids: dict[str, int] = {}
        self._appended = asyncio.Condition()

    async def append(self, *writes: Write) -> int:
        """See `EventLog.append`."""
        events = [(write.stream, event) for write in writes for event in write.events]
        if not 1 <= len(events) <= EVENTS_PER_APPEND_MAX:
            raise InvalidEvent(f"one append takes 1 to {EVENTS_PER_APPEND_MAX} events, not {len(events)}")
        encoded = [(event.id, *encode(stream, event)) for stream, event in events]
        known = [self._ids[event_id] for event_id, _, _ in encoded if event_id in self._ids]
        repeated = [
            self._ids[event_id]
            for event_id, subject, _ in encoded
            if event_id in self._ids and self._stored[self._ids[event_id] - 1].subject == subject
        ]
        if len(repeated) == len(encoded):
            return max(repeated)
        for write in writes:
            actual = self._version(write.checked)
            if actual != write.after:
                raise Conflict(write.checked, expected=write.after, actual=actual)
        if known:
            raise InvalidEvent(
                f"an event id of the append to {', '.join(write.stream for write in writes)} is in the log already, "
                f"elsewhere: {known[0]}"
            )
        for event_id, subject, body in encoded:
            self._store(event_id, subject, body)
        async with self._appended:
            self._appended.notify_all()
        return len(self._stored)

    async def read(self, stream: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read`."""
        return [decode(self._stored[seq - 1]) for seq in self._streams.get(stream, []) if seq > after]

    async def last(self, stream: str) -> Recorded | None:
        """See `EventLog.last`."""
        positions = self._streams.get(stream)
        return decode(self._stored[positions[-1] - 1]) if positions else None

    async def begun(self, streams: Sequence[str]) -> frozenset[str]:
        """See `EventLog.begun`."""
        return frozenset(stream for stream in streams if self._streams.get(stream))

    async def read_category(self, category: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read_category`."""
        prefix = f"evt.{category}."
        return [decode(stored) for stored in self._stored[after:] if stored.subject.startswith(prefix)]

    async def read_named(self, category: str, name: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read_named`."""
        positions = self._named.get((category, name), [])
        return [decode(self._stored[seq - 1]) for seq in positions[bisect_right(positions, after) :]]

    async def last_of(self, category: str, name: str) -> Recorded | None:
        """See `EventLog.last_of`."""
        positions = self._named.get((category, name))
        return decode(self._stored[positions[-1] - 1]) if positions else None

    async def get(self, seq: int) -> Stored | None:
        """See `EventLog.get`."""
        return self._stored[seq - 1] if 1 <= seq <= len(self._stored) else None

    async def last_position(self) -> int:
        """See `EventLog.last_position`."""
        return len(self._stored)

    async def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.follow`."""
        position = after
        while True:
            async with self._appended:
                await self._appended.wait_for(lambda seen=position: len(self._stored) > seen)  # type: ignore[misc]
            batch = self._stored[position : position + BATCH_EVENTS_MAX]
            position += len(batch)
            yield batch

    async def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.bulk`."""
        for start in range(after, through, BATCH_EVENTS_MAX):
            yield self._stored[start : min(start + BATCH_EVENTS_MAX, through)]

    def store_raw(self, subject: str, body: bytes, event_id: str) -> int:
        """Store bytes without a version check, as JetStream sourcing does with a fired timer. Returns the position."""
        return self._store(event_id, subject, body)

    def _store(self, event_id: str, subject: str, body: bytes) -> int:
        seq = len(self._stored) + 1
        self._stored.append(Stored(seq, subject, self._now(), body))
        self._streams.setdefault(stream_from_subject(subject), []).append(seq)
        _root, category, _id, name = subject.split(".")
        self._named.setdefault((category, name), []).append(seq)
        self._ids[event_id] = seq
        return seq

    def _version(self, stream: str) -> int:
        positions = self._streams.get(stream)
        return positions[-1] if positions else NOTHING
