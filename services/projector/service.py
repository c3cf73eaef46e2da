"""The projector: follows the log into the warehouse, and tells who waits for a position.

Hears  every event of the log, in order, from the warehouse's own position on.
Says   nothing.
Keeps  the warehouse.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from events import EventLog, LogUnavailable, RecountError, Stored
from events.subjects import every_stream_of
from projections.storage import UnusableWarehouse
from projections.warehouse import LogGap, Warehouse
from services.projector.loading import Progress, load_through
from services.projector.people import Keys, refresh_people
from services.projector.rebuild import Rebuild, is_copy_of, open_beside, remove_warehouse
from services.projector.snapshots import NEVER, Snapshots
from services.settings import SnapshotSettings

logger = logging.getLogger("recount.projector")

# Further behind than this, copying everything first and computing the projections once is faster than following.
FOLLOW_BEHIND_MAX = 20_000

# After a failure: long enough not to spin, short enough that a reader hardly notices.
RETRY_PAUSES_S = (0.2, 1.0, 5.0)


def _nobody(_done: int, _total: int) -> None:
    """Progress that nobody wants to hear of."""


_PERSON_SUBJECTS = every_stream_of("person").removesuffix(">")
_ERASED = ".erased"


class Projector:
    """Keeps one warehouse.

    Args:
        log: what is followed.
        keys: what opens the person facts.
        path: the warehouse's file.
        snapshot: how often the file for other tools is written; never by itself when left out.
    """

    def __init__(self, log: EventLog, keys: Keys, path: Path, snapshot: SnapshotSettings = NEVER) -> None:
        self._log = log
        self._keys = keys
        self._path = path
        self._moved = asyncio.Condition()
        self._listeners: list[Callable[[int], None]] = []
        self._following: asyncio.Task[None] | None = None
        # Held by whoever applies events: a rebuild swaps the file between two batches.
        self._applying = asyncio.Lock()
        self.warehouse: Warehouse
        # Up to here rows and names are there: the names of a batch are written after its rows.
        self._complete = 0
        self._rebuild: Rebuild | None = None
        self._upgrading: asyncio.Task[None] | None = None
        self.snapshots = Snapshots(lambda: self.warehouse, path, snapshot)
        self._snapping: asyncio.Task[None] | None = None
        self.upgrade = ""
        """What is being computed by new definitions while the former ones answer; empty when nothing is."""
        self.trouble = ""
        """Why it does not follow at the moment; empty while it does."""

    async def start(self) -> None:
        """Open the warehouse, building it again when it cannot be used, and follow the log from its position on."""
        self.warehouse = await asyncio.to_thread(self._open)
        await asyncio.to_thread(refresh_people, self.warehouse, self._keys)
        self._complete = self.warehouse.position
        self._following = asyncio.create_task(self._follow_for_ever(), name="projector")
        self._upgrading = asyncio.create_task(self._upgrade(), name="upgrade")
        self._snapping = asyncio.create_task(self.snapshots.run(), name="snapshots")

    async def stop(self) -> None:
        """Stop following and computing, then close the warehouse. What was applied is on disk."""
        await self.stop_rebuild()
        for task in (self._snapping, self._upgrading, self._following):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        async with self._applying:
            await asyncio.to_thread(self.warehouse.close)

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the warehouse holds a position, and the people of it; False when it took longer than the timeout,
        in seconds."""
        try:
            async with asyncio.timeout(timeout), self._moved:
                await self._moved.wait_for(lambda: self._complete >= position)
        except TimeoutError:
            return False
        return True

    def listen(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Have a function called with each new position, on the event loop.

        Returns:
            What ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def begin_rebuild(self, *, projections_only: bool = False) -> Rebuild:
        """Begin to compute everything again, or join the rebuild that runs already; it goes on without its askers.

        Args:
            projections_only: out of the log as the warehouse holds it, instead of reading the log again.
        """
        if self._rebuild is None or self._rebuild.is_over:
            do = self._recompute if projections_only else self.rebuild
            self._rebuild = Rebuild(do)
        return self._rebuild

    async def stop_rebuild(self) -> bool:
        """Stop the rebuild that runs, if one does. What it copied stays, and the next one goes on from there."""
        return self._rebuild is not None and await self._rebuild.stop()

    async def rebuild(self, progress: Progress = _nobody, computed: Progress = _nobody) -> int:
        """Build the whole warehouse again from the log in a file beside, then swap the two. Readers go on meanwhile.

        A file that an earlier one left behind is gone on with, when it holds the beginning of this log.

        Args:
            progress: told how many events are copied, of how many.
            computed: told how many projections are computed, of how many.

        Returns:
            The position that the new file had when it took over.
        """
        beside = self._path.with_name(f"{self._path.stem}.rebuilding{self._path.suffix}")
        fresh = await open_beside(beside, self._log)
        try:
            await load_through(fresh, self._log, await self._log.last_position(), progress, computed)
        except BaseException:
            await asyncio.to_thread(fresh.close)
            raise
        async with self._applying:
            try:
                # What was applied meanwhile, so that no reader sees the position go back.
                async for batch in self._log.bulk(after=fresh.position, through=self.warehouse.position):
                    await asyncio.to_thread(fresh.apply, batch)
            finally:
                await asyncio.to_thread(fresh.close)
            await asyncio.to_thread(self.warehouse.swap_in, beside)
            await asyncio.to_thread(refresh_people, self.warehouse, self._keys)
        return self.warehouse.position

    async def _recompute(self, _progress: Progress, computed: Progress) -> int:
        async with self._applying:
            await asyncio.shield(asyncio.create_task(asyncio.to_thread(self.warehouse.rebuild, computed)))
        return self.warehouse.position

    def _open(self) -> Warehouse:
        try:
            return Warehouse.open(self._path)
        except UnusableWarehouse as error:
            logger.warning("%s; it is built again from the log", error)
            remove_warehouse(self._path)
            return Warehouse.open(self._path)

    async def _follow_for_ever(self) -> None:
        failures = 0
        unusable: RecountError | None = None
        while True:
            before = self.warehouse.position
            try:
                if unusable is not None:
                    await self._start_over(unusable)
                    unusable = None
                await self._follow()
            except Exception as error:  # whatever it is, the log is still there and reading goes on
                if unusable is None and isinstance(error, LogGap | UnusableWarehouse):
                    unusable = error
                    continue
                failures = await self._rest(error, 0 if self.warehouse.position > before else failures + 1)

    async def _rest(self, error: Exception, failures: int) -> int:
        """Say what is wrong, and wait for a moment, the longer the more often it failed in a row."""
        self.trouble = f"{type(error).__name__}: {error}"
        level = logging.WARNING if isinstance(error, LogUnavailable) else logging.ERROR
        logger.log(level, "the projector failed at position %d: %s", self.warehouse.position, self.trouble)
        await asyncio.sleep(RETRY_PAUSES_S[min(failures, len(RETRY_PAUSES_S) - 1)])
        return failures

    async def _follow(self) -> None:
        last = await self._log.last_position()
        if last < self.warehouse.position:
            raise LogGap(f"the log ends at {last}, before the warehouse's position {self.warehouse.position}")
        if not await is_copy_of(self.warehouse, self._log):
            raise LogGap(f"the log has another event at the warehouse's position {self.warehouse.position}")
        if last - self.warehouse.position > FOLLOW_BEHIND_MAX:
            async with self._applying:
                await load_through(self.warehouse, self._log, last)
                await asyncio.to_thread(refresh_people, self.warehouse, self._keys)
            await self._tell()
        position = self.warehouse.position
        async for batch in self._log.follow(after=position):
            async with self._applying:
                if self.warehouse.position != position:
                    return  # a rebuild took over: go on from where that stands
                await asyncio.shield(asyncio.create_task(asyncio.to_thread(self._apply, batch)))
            position = self.warehouse.position
            self.trouble = ""
            await self._tell()

    async def _upgrade(self) -> None:
        """Compute what a new version defines otherwise, while the former definitions answer."""
        names = sorted(self.warehouse.outdated)
        if not names:
            return

        def told(done: int, total: int) -> None:
            self.upgrade = f"{done} of {total} projections computed by new definitions: {', '.join(names)}"

        told(0, len(names))
        try:
            await asyncio.to_thread(self.warehouse.upgrade, told)
        except Exception as error:  # whatever it is, the former definitions still answer
            self.upgrade = f"failed: {type(error).__name__}: {error}; the former definitions answer"
            logger.exception("the new definitions of %s could not be computed", ", ".join(names))
        else:
            self.upgrade = ""

    async def _start_over(self, error: RecountError) -> None:
        # The file is damaged, or is the copy of another log: of one that was put back from a backup, for example.
        logger.warning("%s; the warehouse is built again from the log", error)
        await self.rebuild()
        await self._tell()

    def _apply(self, batch: Sequence[Stored]) -> None:
        self.warehouse.apply(batch)
        if any(stored.subject.startswith(_PERSON_SUBJECTS) for stored in batch):
            refresh_people(self.warehouse, self._keys)
        if any(stored.subject.startswith(_PERSON_SUBJECTS) and stored.subject.endswith(_ERASED) for stored in batch):
            self.snapshots.someone_was_erased()

    async def _tell(self) -> None:
        async with self._moved:
            self._complete = self.warehouse.position
            self._moved.notify_all()
        for listener in list(self._listeners):
            listener(self.warehouse.position)
