"""What a client has prepared, and what it has bound: statements and portals of the extended protocol."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from projections.postgres.dialect import Statement
from projections.stream import Stream
from services.pgwire.columns import Encoding
from services.pgwire.commands import Command


class Prepared(msgspec.Struct, frozen=True):
    """A statement: a command, a question, or nothing when both are None."""

    command: Command | None = None
    question: Statement | None = None


class Portal:
    """A statement with its parameters, perhaps half answered.

    Args:
        prepared: what is asked.
        params: the values of its parameters.
        formats: how the client wants its columns.
    """

    def __init__(self, prepared: Prepared, params: Sequence[Any] = (), formats: Sequence[int] = ()) -> None:
        self.prepared = prepared
        self.params = params
        self.formats = formats
        self.encodings: list[Encoding] = []
        self.stream: Stream | None = None
        self.is_done = False
        self._forgetting: asyncio.TimerHandle | None = None

    def forget_after(self, seconds: float) -> None:
        """Give back what a half answered question holds, unless the client goes on before."""
        if self.stream is not None:
            self._forgetting = asyncio.get_running_loop().call_later(seconds, self.stream.interrupt)

    def goes_on(self) -> None:
        """The client asks for more."""
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None

    def close(self) -> None:
        """Give back what it holds. It does not wait: nothing runs for a portal between two messages."""
        self.goes_on()
        self.is_done = True
        if self.stream is not None:
            self.stream.interrupt()
            self.stream = None
