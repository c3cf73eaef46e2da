"""What a client has prepared, and what it has bound or declared: statements, portals and cursors."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from projections.lens import Lens
from projections.postgres.dialect import Statement
from projections.stream import Stream
from services.pgwire.columns import Encoding
from services.pgwire.commands import Command
from services.pgwire.cursors import Declare
from services.pgwire.preparing import Prepare


class Prepared(msgspec.Struct):
    """A statement: a command, a question, a command about a question, or nothing when both are None."""

    command: Command | None = None
    question: Statement | None = None
    sql: str = ""
    """Of the question, as it was asked."""
    edition: object = None
    """Of the definitions that the question was understood by (`services.pgwire.answering`)."""

    @property
    def parameters(self) -> tuple[int, ...]:
        """The OID of each type of its own parameters."""
        return self.question.parameters if self.question and not isinstance(self.command, Prepare) else ()

    def question_alone(self) -> "Prepared":
        """The question, without what is commanded about it."""
        return Prepared(None, self.question, self.sql, self.edition)


class Portal:
    """A statement with its parameters, perhaps half answered. A cursor is one, too.

    Args:
        prepared: what is asked.
        params: the values of its parameters.
        formats: how the client wants its columns.
        declared: how it was declared, when it is a cursor.
    """

    def __init__(
        self,
        prepared: Prepared,
        params: Sequence[Any] = (),
        formats: Sequence[int] = (),
        *,
        declared: Declare | None = None,
    ) -> None:
        self.prepared = prepared
        self.params = params
        self.formats = formats
        self.declared = declared
        self.lens: Lens | None = None
        self.encodings: list[Encoding] = []
        self.stream: Stream | None = None
        self.is_open = False
        """Whether it began to be answered."""
        self.is_done = False
        """Whether there are no more rows, or nobody wants them."""
        self.is_at_end = False
        """Whether it stands after the last row."""
        self.is_failed = False
        self.position = 0
        """The row that was given last, counted from 1; 0 before the first, one more than there are after the last."""
        self.kept: list[bytes] = []
        """The rows so far, each a message, of a cursor that goes backward."""
        self.kept_bytes = 0
        self.rest: list[bytes] | None = None
        """What a FETCH has still to give, each a message; None before it began."""
        self.given = 0
        """How many rows a FETCH has given."""
        self._forgetting: asyncio.TimerHandle | None = None

    @property
    def is_scroll(self) -> bool:
        """Whether it goes backward, too."""
        return self.declared is not None and self.declared.is_scroll

    @property
    def is_held(self) -> bool:
        """Whether it outlives its transaction."""
        return self.declared is not None and self.declared.is_held

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
