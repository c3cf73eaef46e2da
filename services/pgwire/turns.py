"""Running queries in threads: a few at once, each until its time is over, it is cancelled, or its client is gone."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from projections.query import QueryRefused
from services.pgwire.refusals import Refused

# Each may use every core; the web, the console and the projector must stay quick meanwhile.
QUERIES_AT_ONCE = 4
# How soon a query notices that it is to end; a cancel request is answered well within a second.
WATCH_EVERY_S = 0.05

Result = TypeVar("Result")


class Turns:
    """The threads of one server."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(QUERIES_AT_ONCE, thread_name_prefix="pgwire")
        self._slots = asyncio.Semaphore(QUERIES_AT_ONCE)

    async def take(self, work: Callable[[], Result], watch: "Watch", interrupt: Callable[[], None]) -> Result:
        """Run something in a thread, when it is its turn.

        Args:
            work: waits for DuckDB.
            watch: tells whether it is to end.
            interrupt: makes the work end soon; called until it has.

        Raises:
            Refused: it was cancelled, or took too long.
        """
        # A long answer is many short turns, none of which would notice.
        if ended := watch.reason():
            interrupt()
            raise ended
        await self._slot(watch)
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        reason: Refused | None = None
        try:
            while not (await asyncio.wait({running}, timeout=WATCH_EVERY_S))[0]:
                reason = reason or watch.reason()
                if reason is not None:
                    interrupt()
        except asyncio.CancelledError:
            interrupt()
            raise
        finally:
            self._slots.release()
        try:
            return running.result()
        except QueryRefused as error:
            if reason is not None and error.kind == "stopped":
                raise reason from error
            raise

    def close(self) -> None:
        """Take nothing more; what runs was interrupted and ends."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _slot(self, watch: "Watch") -> None:
        while True:
            try:
                async with asyncio.timeout(WATCH_EVERY_S):
                    await self._slots.acquire()
                return
            except TimeoutError:
                if reason := watch.reason():
                    raise reason from None


class Watch:
    """Whether one statement is to end.

    Args:
        seconds: how long it may take, its sending too.
        is_gone: tells whether the client went away.
    """

    def __init__(self, seconds: float, is_gone: Callable[[], bool]) -> None:
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._is_gone = is_gone
        self._is_cancelled = False

    def cancel(self) -> None:
        """Somebody asked for its end."""
        self._is_cancelled = True

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(self._until - time.monotonic(), 0.0)

    def reason(self) -> Refused | None:
        """Why it is to end, None while it may go on."""
        if self._is_cancelled:
            return Refused("57014", "the query was cancelled on request")
        if not self.left_s:
            hint = "Narrow it with WHERE, aggregate earlier, or set statement_timeout."
            return Refused("57014", f"the query was stopped after {self._seconds:g} s", hint=hint)
        if self._is_gone():
            return Refused("08006", "the client is gone")
        return None
