"""The counter of the completeness ledger: says what lies in INTAKE, once the translators have dealt with it.

Hears  nothing: it asks from time to time how far the translators' consumer is.
Says   ReceiptsCounted.
Keeps  nothing: how far it has counted is the last fact of ``ledger.received``. So one that is killed goes on where the
       log says, and of several copies the one that is faster counts; the version check lets no other count the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

from events import Conflict, Event, EventLog, Write
from events.errors import LogError
from events.ids import derived_event_id
from events.ledger import ReceiptsCounted
from events.recorded import Stored
from services.intake.counting import Counting

logger = logging.getLogger("recount.intake")

STREAM = "ledger.received"
SOURCE = "recount/intake"

# Seconds between two looks. A fact a look is what the ledger costs in a storm; nobody audits a half minute.
COUNT_EVERY_S = 30.0
# Receipts that are read before their counts are stored: bounds memory, and what a kill makes to be read again.
RECEIPTS_PER_COUNT_MAX = 50_000
# Facts in one append: at most 60 KiB each, and the server takes a batch of a few MiB.
FACTS_PER_APPEND_MAX = 20

Read = Callable[[int, int], AsyncIterator[Sequence[Stored]]]
"""The messages of INTAKE after one position through another."""


class Counter:
    """Counts receipts.

    Args:
        log: where counts are stored.
        read: reads INTAKE.
        dealt_with_through: asks up to which position the translators have acknowledged everything.
        now: tells the time.
    """

    def __init__(
        self,
        log: EventLog,
        read: Read,
        dealt_with_through: Callable[[], Awaitable[int]],
        now: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._read = read
        self._dealt_with_through = dealt_with_through
        self._now = now

    async def begin(self, delivered: int) -> None:
        """Let the ledger begin, unless it has. What an earlier version handled is not its: that left no word of what
        changed nothing. Call it before the first receipt is translated.

        Args:
            delivered: the position up to which receipts were given to translators before.

        Raises:
            LogError: the log does not answer.
        """
        if await self._log.last(STREAM) is not None:
            return
        try:
            await self._store(0, [ReceiptsCounted(first_seq=1, last_seq=delivered, sources=(), is_before=True)])
        except Conflict:  # another copy began it
            return

    async def count(self) -> int:
        """Count everything that has been dealt with. Returns the position through which it is counted.

        Raises:
            LogError: the log or INTAKE does not answer; nothing is counted twice when this is repeated.
        """
        floor = await self._dealt_with_through()
        while True:
            last = await self._log.last(STREAM)
            version, counted = (last.seq, last.fact) if last else (0, None)
            through = counted.last_seq if isinstance(counted, ReceiptsCounted) else 0
            if floor <= through:
                return through
            upto = min(floor, through + RECEIPTS_PER_COUNT_MAX)
            counting = Counting(through + 1)
            async for batch in self._read(through, upto):
                for stored in batch:
                    counting.add(stored)
                # Reading must not hold up what is received meanwhile.
                await asyncio.sleep(0)
            try:
                await self._store(version, counting.finish(upto))
            except Conflict:  # another copy was faster; go on behind it
                continue

    async def run(self, every_s: float = COUNT_EVERY_S) -> None:
        """Count from time to time, for ever."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.count()
            except LogError as error:
                logger.warning("intake: the ledger waits: %s", error)
            except Exception:  # whatever is odd about one look, the next may be well
                logger.exception("intake: counting failed")

    async def _store(self, version: int, stretches: list[ReceiptsCounted]) -> None:
        for start in range(0, len(stretches), FACTS_PER_APPEND_MAX):
            events = tuple(self._event(fact) for fact in stretches[start : start + FACTS_PER_APPEND_MAX])
            version = await self._log.append(Write(STREAM, version, events))

    def _event(self, fact: ReceiptsCounted) -> Event:
        return Event(
            id=derived_event_id("ledger-counted", str(fact.first_seq), str(fact.last_seq)),
            fact=fact,
            happened_at=self._now(),
            source=SOURCE,
        )
