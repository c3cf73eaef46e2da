"""A rebuild: it belongs to the projector and not to whoever asked for it.

It goes on when they leave, and whoever asks again joins it. One that is stopped, or whose process dies, leaves its file
behind, and the next one goes on with that.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from events import EventLog, RecountError
from events.subjects import stream_from_subject
from projections.files import files_of, remove
from projections.storage import UnusableWarehouse
from projections.warehouse import Warehouse
from services.projector.loading import Progress

logger = logging.getLogger("recount.projector")


class RebuildStopped(RecountError):
    """Somebody stopped a rebuild, or the process ends."""

    hint = "`recount rebuild` goes on from where it stood."


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is."""

    doing: Literal["log", "projections"]
    """Copying events, or computing projections."""
    done: int
    total: int
    rate: int
    """How many a second, since this rebuild began with it."""


class Rebuild:
    """A rebuild that runs.

    Args:
        do: rebuilds, telling how many events are copied and how many projections computed; gives the position.
    """

    def __init__(self, do: Callable[[Progress, Progress], Awaitable[int]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._step: Step | None = None
        self._began: dict[str, tuple[float, int]] = {}
        self._work = asyncio.ensure_future(do(self._told("log"), self._told("projections")))
        self._work.add_done_callback(lambda _work: self._changed.set())

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._work.done()

    async def steps(self) -> AsyncIterator[Step]:
        """Every step from now on, until it ends; some are left out when they come faster than they are taken."""
        last: Step | None = None
        while True:
            self._changed.clear()
            if self._step is not None and self._step is not last:
                last = self._step
                yield last
            elif self.is_over:
                return
            else:
                await self._changed.wait()

    async def result(self) -> int:
        """The position that the new warehouse has; raises what made it fail.

        Raises:
            RebuildStopped: somebody stopped it.
        """
        # That somebody stops waiting does not stop it.
        await asyncio.wait([self._work])
        if self._work.cancelled():
            raise RebuildStopped("the rebuild was stopped")
        return self._work.result()

    async def stop(self) -> bool:
        """Break it off; False when it was over."""
        if self.is_over:
            return False
        self._work.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._work
        return True

    def _told(self, doing: Literal["log", "projections"]) -> Progress:
        def told(done: int, total: int) -> None:
            # It is called on a thread or on the loop, as the work goes.
            self._loop.call_soon_threadsafe(self._take, doing, done, total)

        return told

    def _take(self, doing: Literal["log", "projections"], done: int, total: int) -> None:
        began, already = self._began.setdefault(doing, (time.monotonic(), done))
        elapsed = time.monotonic() - began
        rate = (done - already) / elapsed if elapsed > 0 else 0.0
        self._step = Step(doing=doing, done=done, total=total, rate=round(rate))
        self._changed.set()


async def open_beside(path: Path, log: EventLog) -> Warehouse:
    """The file that a rebuild fills: what an earlier one left, when that begins as this log does, or else a new one."""
    left = await asyncio.to_thread(_left_behind, path)
    if left is not None:
        if await is_copy_of(left, log):
            logger.info("the rebuild goes on at position %d", left.position)
            return left
        await asyncio.to_thread(left.close)
    await asyncio.to_thread(remove_warehouse, path)
    return await asyncio.to_thread(Warehouse.open, path)


def _left_behind(path: Path) -> Warehouse | None:
    if not path.exists():
        return None
    try:
        return Warehouse.open(path, complete=False)
    except UnusableWarehouse as error:
        logger.info("%s; the rebuild begins anew", error)
        return None


async def is_copy_of(warehouse: Warehouse, log: EventLog) -> bool:
    """Whether the last event that a warehouse holds is the one that the log has there. Logs differ after a restore."""
    if warehouse.position == 0:
        return True
    stored = await log.get(warehouse.position)
    if stored is None:
        return False
    ours = await asyncio.to_thread(
        warehouse.ask, "select stream, recorded_at from log where seq = ?", [warehouse.position]
    )
    return ours.rows == [(stream_from_subject(stored.subject), stored.recorded_at.replace(tzinfo=None))]


def remove_warehouse(path: Path) -> None:
    """Delete a warehouse's file, with what belongs to it."""
    remove(files_of(path))
