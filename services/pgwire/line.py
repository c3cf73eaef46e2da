"""The line to one client while a statement of theirs runs: what is sent, what is waited for, and how it is cut off."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.pgwire.turns import Turns, Watch

Result = TypeVar("Result")


class ClientGone(Exception):
    """The client does not take what is sent to it."""


class Line:
    """See the module.

    Args:
        reader: tells whether the client is still there.
        writer: where the answers go.
        turns: where statements run.
        limit_s: tells how long a statement may take.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        turns: Turns,
        limit_s: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._turns = turns
        self._limit_s = limit_s
        self._watch: Watch | None = None

    @property
    def limit_s(self) -> float:
        """How long a statement may take."""
        return self._limit_s()

    def cancel(self) -> None:
        """End the statement that runs, if one does."""
        if self._watch is not None:
            self._watch.cancel()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """What is done within is one statement: it may be cancelled, and its time is limited."""
        around = self._watch
        self._watch = Watch(self._limit_s(), lambda: self._reader.at_eof() or self._writer.is_closing())
        try:
            yield
        finally:
            self._watch = around

    async def send(self, content: bytes) -> None:
        """Send to the client, and wait until it has taken most of it.

        Raises:
            ClientGone: it takes nothing.
        """
        self._writer.write(content)
        try:
            async with asyncio.timeout(self._watch.left_s if self._watch else self._limit_s()):
                await self._writer.drain()
        except TimeoutError as error:
            raise ClientGone("the client does not take what it asked for") from error

    async def in_turn(self, work: Callable[[], Result], interrupt: Callable[[], None] = lambda: None) -> Result:
        """Run what waits for DuckDB in a thread, when it is its turn.

        Args:
            work: what to run.
            interrupt: makes it end soon.

        Raises:
            Refused: the statement was cancelled, took too long, or its client is gone.
        """
        assert self._watch is not None, "within a statement"
        return await self._turns.take(work, self._watch, interrupt)
