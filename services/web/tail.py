"""The live end of the log, for open pages and `recount tail`: server-sent events that resume where they stopped.

A reader of the tail is only a position. It is never queued for: it takes the newest events from a short memory, and
older ones from the log itself, at its own pace. So a slow reader costs nothing but its connection.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from events import EventLog, Recorded, Stored, decode, headline
from events.errors import Unreadable
from events.fact import tag_of
from events.subjects import every_stream_of, split
from services.web.names import Names, in_words, speak
from services.web.tokens import Tokens

logger = logging.getLogger("recount.web")

# Newest events kept in memory, of at most 60 KiB and usually less than 1 KiB each.
RECENT_EVENTS = 500
# Open tails of one process. A browser opens one a tab; each costs a task and a socket.
TAILS_MAX = 200
# Proxies cut connections that are silent for a minute, or for 30 s when they are strict.
HEARTBEAT_S = 15.0
# After a failure: long enough not to spin, short enough that nobody waits for a reload.
RETRY_PAUSE_S = 1.0

_TOKEN_SUBJECTS = every_stream_of("token").removesuffix(">")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the tail tells it."""

    seq: int
    stream: str
    type: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    headline: str
    incident_id: str = ""
    """The incident that it belongs to, if any."""


class Tail:
    """Follows the log for everybody who watches it.

    Args:
        log: what is followed.
        tokens: hears of new and revoked tokens.
        names: what to call people in headlines.
    """

    def __init__(self, log: EventLog, tokens: Tokens, names: Names) -> None:
        self._log = log
        self._tokens = tokens
        self._names = names
        self._recent: deque[Stored] = deque(maxlen=RECENT_EVENTS)
        self._grown = asyncio.Condition()
        self.readers = 0
        """How many watch it now."""
        self._closing = False
        self.position = 0
        """The newest position that is known."""

    async def run(self, started: asyncio.Event) -> None:
        """Follow the log until cancelled. ``started`` is set once the tokens that exist are known."""
        while True:
            try:
                if not started.is_set():
                    self.position = await self._log.last_position()
                    self._tokens.fold(await self._log.read_category("token"))
                    started.set()
                async for batch in self._log.follow(after=self.position):
                    await self._take(batch)
            except Exception as error:  # without it no page would be live, and no token could be revoked
                logger.error("the tail failed at position %d and goes on: %r", self.position, error)
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _take(self, batch: Sequence[Stored]) -> None:
        self._tokens.fold(_readable(stored for stored in batch if stored.subject.startswith(_TOKEN_SUBJECTS)))
        async with self._grown:
            self._recent.extend(batch)
            self.position = batch[-1].seq
            self._grown.notify_all()

    @property
    def is_full(self) -> bool:
        """Whether no more tails may be opened."""
        return self.readers >= TAILS_MAX

    async def close(self) -> None:
        """End every open tail, so that the server can stop."""
        async with self._grown:
            self._closing = True
            self._grown.notify_all()

    async def lines(self, *, after: int, incident_id: str = "") -> AsyncIterator[Line | None]:
        """Every event after a position as it comes, for ever; None when nothing came for a while.

        Args:
            after: position of the last event that is known.
            incident_id: only what belongs to this incident.
        """
        self.readers += 1
        try:
            position = after
            while not self._closing:
                if position >= self.position:
                    if not await self._grows_past(position):
                        yield None
                    continue
                async for batch in self._events(after=position, through=self.position):
                    for line in await self._told(batch):
                        if not incident_id or line.incident_id == incident_id:
                            yield line
                            # Writing from memory never waits, and whoever left would not be noticed until the end.
                            await asyncio.sleep(0)
                    position = batch[-1].seq
                    if self._closing:
                        return
        finally:
            self.readers -= 1

    async def _grows_past(self, position: int) -> bool:
        async with self._grown:
            try:
                await asyncio.wait_for(
                    self._grown.wait_for(lambda: self._closing or self.position > position), HEARTBEAT_S
                )
            except TimeoutError:
                return False
        return True

    async def _events(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        recent = list(self._recent)
        if recent and recent[0].seq <= after + 1:
            yield [stored for stored in recent if after < stored.seq <= through]
            return
        async for batch in self._log.bulk(after=after, through=through):
            if batch:
                yield batch

    async def _told(self, batch: Sequence[Stored]) -> list[Line]:
        called = await self._names.called()
        return [line_of(recorded, called) for recorded in _readable(batch)]


def _readable(batch: Iterable[Stored]) -> Iterator[Recorded]:
    for stored in batch:
        try:
            yield decode(stored)
        except Unreadable as error:  # written by a newer version: the others are told all the same
            logger.warning("the tail leaves out what it cannot read: %s", error)


def line_of(recorded: Recorded, called: dict[str, str]) -> Line:
    """An event as the tail tells it."""
    actor = recorded.event.actor or recorded.event.source
    return Line(
        seq=recorded.seq,
        stream=recorded.stream,
        type=tag_of(type(recorded.fact)),
        happened_at=recorded.happened_at,
        recorded_at=recorded.recorded_at,
        actor=actor,
        headline=in_words(headline(recorded, {actor: speak(actor, called)} | called), called),
        incident_id=incident_of(recorded),
    )


def incident_of(recorded: Recorded) -> str:
    """The incident that an event belongs to; empty when there is none."""
    category, identifier = split(recorded.stream)
    if category in ("incident", "escalation", "review"):
        return identifier
    named = getattr(recorded.fact, "incident_id", "")
    if isinstance(named, str) and named:
        return named
    correlation = recorded.event.correlation_id
    return correlation if correlation.startswith("INC-") else ""
