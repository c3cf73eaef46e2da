"""Keeping the snapshot file fresh (`projections.snapshot`): every so often, when something was applied since."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from events import RecountError
from projections.snapshot import SnapshotInfo, read_snapshot, snapshot_paths
from projections.warehouse import Warehouse
from services.settings import SnapshotSettings

logger = logging.getLogger("recount.projector")

# Writing costs what the projections hold, so on a long log or a slow disk it is done less often than asked for: it
# never takes more than this share of the time.
BUSY_SHARE_MAX = 0.05

NEVER = SnapshotSettings(every="off")


class SnapshotStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot, as people ask for it."""

    path: str
    info: SnapshotInfo | None
    """None when there is none yet."""
    every_s: float | None
    """How often it is written; None: only when asked for."""
    took_s: float | None
    """How long the last writing took, in this process."""
    trouble: str
    """Why the last one could not be written; empty when it could."""


class Snapshots:
    """Writes the snapshot of one warehouse.

    Args:
        warehouse: gives the warehouse, once it is open.
        path: the warehouse's file.
        settings: how often, and whether with names.
    """

    def __init__(self, warehouse: Callable[[], Warehouse], path: Path, settings: SnapshotSettings) -> None:
        self._warehouse = warehouse
        self._target, _writing = snapshot_paths(path)
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._writing = asyncio.Lock()
        self._took_s: float | None = None
        self._trouble = ""

    async def run(self) -> None:
        """Write it again and again, for ever."""
        await asyncio.to_thread(self._remove_names)
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._pause_s)
            self._wanted.clear()
            try:
                await self._write_if_moved()
            except RecountError as error:
                logger.warning("%s; %s", error, error.hint)

    async def refresh(self) -> SnapshotStatus:
        """Write it now.

        Raises:
            SnapshotRefused: there is no room, or it cannot be written.
        """
        await self._write()
        return await self.status()

    async def status(self) -> SnapshotStatus:
        """What there is."""
        return SnapshotStatus(
            path=str(self._target.absolute()),
            info=await asyncio.to_thread(read_snapshot, self._target),
            every_s=self._settings.every_s,
            took_s=self._took_s,
            trouble=self._trouble,
        )

    def someone_was_erased(self) -> None:
        """A snapshot with names is gone at once, and written anew. May be called from any thread."""
        if self._settings.names:
            self._target.unlink(missing_ok=True)
            self._loop.call_soon_threadsafe(self._wanted.set)

    @property
    def _pause_s(self) -> float | None:
        every_s = self._settings.every_s
        return None if every_s is None else max(every_s, (self._took_s or 0.0) / BUSY_SHARE_MAX)

    async def _write_if_moved(self) -> None:
        info = await asyncio.to_thread(read_snapshot, self._target)
        if info is None or info.position != self._warehouse().position or info.has_names != self._settings.names:
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            began = time.monotonic()
            try:
                await asyncio.to_thread(
                    lambda: self._warehouse().write_snapshot(names=self._settings.names, moment=datetime.now(UTC))
                )
            except RecountError as error:
                self._trouble = str(error)
                raise
            self._took_s, self._trouble = time.monotonic() - began, ""

    def _remove_names(self) -> None:
        """A setting that was changed must not leave names behind."""
        info = read_snapshot(self._target)
        if info is not None and info.has_names and not self._settings.names:
            self._target.unlink(missing_ok=True)
