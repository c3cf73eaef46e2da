"""The event log, as a contract. `events.nats_log` keeps it on JetStream, `events.memory_log` in memory; both pass the
same tests (tests/contract/).

A *stream* is the history of one thing, such as ``incident.INC-42``. Its *version* is the log position of its last
event, and 0 when it has none: a position, not a count.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from events.recorded import Event, Recorded, Stored

NOTHING = 0
"""The version of a stream that has no events yet."""

# The server refuses more in one atomic batch (ADR-50).
EVENTS_PER_APPEND_MAX = 1_000


class Write(msgspec.Struct, frozen=True):
    """Events for one stream, and the version they were decided on."""

    stream: str
    after: int
    events: tuple[Event, ...]
    """At least one."""
    rests_on: str = ""
    """The stream whose version ``after`` is, when it is not the one written to: the decision is stored only while that
    stream has not changed. For a stream that is new because another write of the same append makes its id new, such as
    the page of an escalation level; its own version needs no check then."""

    @property
    def checked(self) -> str:
        """The stream whose version the append checks."""
        return self.rests_on or self.stream


class EventLog(Protocol):
    """An append-only log with optimistic concurrency on every stream."""

    async def append(self, *writes: Write) -> int:
        """Store all events of all writes, or none.

        Appending the same event ids again, in the same way, changes nothing and succeeds: a retry may meet itself.

        Returns:
            The position of the last event stored (of the earlier append, when this one repeats it).

        Raises:
            Conflict: a stream is not at the expected version; names the version that won.
            LogUnavailable: no answer; whether it was stored is unknown and repeating it is safe.
            LogFull: the log refuses new events.
            InvalidEvent: an event does not fit its stream, or is too large.
        """
        ...

    async def read(self, stream: str, *, after: int = NOTHING) -> list[Recorded]:
        """The events of one stream after a version, in order. Costs what the stream holds, not what the log holds.

        Raises:
            LogUnavailable: no answer.
            Unreadable: an event of an unknown type.
        """
        ...

    async def last(self, stream: str) -> Recorded | None:
        """The newest event of one stream, None when it has none. Costs the same however long the stream is.

        Raises:
            LogUnavailable: no answer.
            Unreadable: it is of an unknown type.
        """
        ...

    async def begun(self, streams: Sequence[str]) -> frozenset[str]:
        """Which of some streams hold any event. Far cheaper than reading each when most are new."""
        ...

    async def read_category(self, category: str, *, after: int = NOTHING) -> list[Recorded]:
        """The events of every stream of a category after a position, in log order. From the beginning only for
        configuration families, which stay small."""
        ...

    async def read_named(self, category: str, name: str, *, after: int = NOTHING) -> list[Recorded]:
        """The events of one type in every stream of a category after a position, in log order:
        ``read_named("silence", "created", after=41_000)``. Costs what it gives back."""
        ...

    async def last_of(self, category: str, name: str) -> Recorded | None:
        """The newest event of one type in any stream: ``last_of("incident", "opened")``."""
        ...

    async def get(self, seq: int) -> Stored | None:
        """The event at a position, not decoded; None when there is none."""
        ...

    async def last_position(self) -> int:
        """The position of the newest event, 0 for an empty log."""
        ...

    def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """Every event after a position, in order, for ever, in batches: one event at once in a quiet hour, thousands
        in a storm. Survives a restart of the server. Never yields an empty batch."""
        ...

    def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """The events after one position through another, in order, as fast as the log can give them."""
        ...
