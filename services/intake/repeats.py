"""Receipts that changed nothing: gathered for a moment, told in one fact, and acknowledged only then.

A repeat leaves no fact of its own, so the ledger could not tell it from one that was lost. One fact for many keeps the
log growing by changes and not by repeats.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from events import Conflict, Event, EventLog, Write
from events.errors import LogError
from events.ids import derived_event_id
from events.ledger import ReceiptsRepeated
from services.intake.translator import SOURCE

logger = logging.getLogger("recount.intake")

STREAM = "ledger.repeated"

# How long a repeat may wait to be told, in seconds. A sixth of the time (30 s) after which the server takes a receipt
# for lost and delivers it again, so that a log which is away for a moment causes no second delivery.
REPEATS_AGE_S = 5.0
# How many may wait. Less than half of what the server lets us hold unacknowledged (5,000), so that fresh receipts still
# come; in the worst case, runs of one, this is 10 KB of a fact that may have 60.
REPEATS_MAX = 2_000
# Losing this often in a row against other copies means that something else is wrong; they are told with the next ones.
TRIES = 20

Acknowledge = Callable[[], Awaitable[None]]


def repeated(seqs: Iterable[int]) -> ReceiptsRepeated:
    """The fact about some positions of INTAKE, at least one, in any order."""
    ordered = sorted(set(seqs))
    gaps, lengths, through = [0], [0], ordered[0] - 1
    for seq in ordered:
        if seq == through + 1:
            lengths[-1] += 1
        else:
            gaps.append(seq - through - 1)
            lengths.append(1)
        through = seq
    return ReceiptsRepeated(
        first_seq=ordered[0],
        last_seq=ordered[-1],
        count=len(ordered),
        run_gaps=tuple(gaps),
        run_lengths=tuple(lengths),
    )


class Repeats:
    """Holds what changed nothing until it is told.

    Args:
        log: where it is told.
        now: tells the time.
        age_s: how long a repeat may wait, in seconds.
        count_max: how many may wait.
    """

    def __init__(
        self, log: EventLog, now: Callable[[], datetime], *, age_s: float = REPEATS_AGE_S, count_max: int = REPEATS_MAX
    ) -> None:
        self._log = log
        self._now = now
        self._age_s = age_s
        self._count_max = count_max
        self._held: list[tuple[int, Acknowledge]] = []
        self._version = 0
        self._telling = asyncio.Lock()
        self._due: asyncio.Task[None] | None = None

    async def hold(self, repeats: Sequence[tuple[int, Acknowledge]], *, at_once: bool = False) -> None:
        """Take receipts that changed nothing.

        Args:
            repeats: the position of each, and what acknowledges it.
            at_once: whether somebody waits for their acknowledgement.

        Raises:
            LogError: they had to be told now and could not be; they are still held, and told later.
        """
        self._held += repeats
        if self._held and self._due is None:
            self._due = asyncio.get_running_loop().create_task(self._tell_in_time())
        if at_once or len(self._held) >= self._count_max:
            await self.tell()

    async def tell(self) -> None:
        """Tell what is held, and acknowledge it.

        Raises:
            LogError: it could not be told and is still held.
        """
        async with self._telling:
            while self._held:
                telling = self._held[: self._count_max]
                await self._append(repeated(seq for seq, _acknowledge in telling))
                del self._held[: len(telling)]
                for _seq, acknowledge in telling:
                    await acknowledge()

    async def close(self) -> None:
        """Tell what is held. What cannot be told is delivered again."""
        if self._due is not None:
            self._due.cancel()
        try:
            await self.tell()
        except LogError as error:
            logger.warning("intake: %d repeats will be delivered again: %s", len(self._held), error)

    async def _tell_in_time(self) -> None:
        while self._held:
            await asyncio.sleep(self._age_s)
            try:
                await self.tell()
            except LogError as error:
                logger.warning("intake: %d repeats wait: %s", len(self._held), error)
            except Exception:  # an acknowledgement on a closed connection: the server delivers them again
                logger.exception("intake: repeats could not be acknowledged")
        self._due = None

    async def _append(self, fact: ReceiptsRepeated) -> None:
        event = Event(
            id=derived_event_id("ledger-repeated", *map(str, (fact.first_seq, fact.run_gaps, fact.run_lengths))),
            fact=fact,
            happened_at=self._now(),
            source=SOURCE,
        )
        for tries_left in reversed(range(TRIES)):
            try:
                # It rests on nothing that others may have told meanwhile; the version only keeps it in order.
                self._version = await self._log.append(Write(STREAM, self._version, (event,)))
                return
            except Conflict as conflict:
                self._version = conflict.actual
                if not tries_left:
                    raise
