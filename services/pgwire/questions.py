"""The questions of one session: understood, bound to values, answered portion by portion."""

from collections.abc import Callable, Sequence
from typing import Any

from projections.catalog import Column
from projections.lens import Lens
from projections.postgres.dialect import Asker
from projections.postgres.lexer import Passage
from projections.postgres.types import duckdb_name
from services.pgwire import messages
from services.pgwire.answering import Answering
from services.pgwire.arguments import arguments
from services.pgwire.columns import Encoding, encodings, shape
from services.pgwire.lens import LENS_VARIABLES
from services.pgwire.line import Line
from services.pgwire.messages import NULL
from services.pgwire.refusals import Refused, within
from services.pgwire.statement import Portal, Prepared
from services.pgwire.variables import SERVER_VERSION, Variables

DATABASE = "recount"

Columns = Sequence[Sequence[bytes]]
"""Cells by column."""


class Questions:
    """See the module.

    Args:
        line: the client.
        answering: who answers.
        user: who asks.
        variables: their settings.
    """

    def __init__(self, line: Line, answering: Answering, user: str, variables: Variables) -> None:
        self._line = line
        self._answering = answering
        self._user = user
        self._variables = variables
        self._lens: tuple[tuple[str, ...], Lens | None] = (("", "", ""), None)

    async def read(self, asked: Passage, declared: Sequence[int] = ()) -> Prepared:
        """Understand a question.

        Args:
            asked: the question, in the text that it came in.
            declared: the OIDs of its parameters' types, 0 for one that is to be found out.

        Raises:
            Refused, QueryRefused: it cannot be.
        """
        if not asked.text:
            raise Refused("42601", "expected a SELECT at the end", position=asked.start + 1)
        settings = dict(self._variables.values) | {"version": f"PostgreSQL {SERVER_VERSION} (Recount)"}
        asker = Asker(self._user, DATABASE, settings)
        with within(asked.start):
            edition, question = await self._line.in_turn(
                lambda: self._answering.understand(asked.text, asker, declared)
            )
        return Prepared(None, question, asked.text, edition)

    async def open(self, portal: Portal, formats: Sequence[int]) -> None:
        """Begin to answer.

        Args:
            portal: the question and its values.
            formats: how its columns are wanted.

        Raises:
            Refused, QueryRefused: it failed, or its columns are not what they were when it was prepared.
        """
        await self._renew(portal.prepared)
        question = portal.prepared.question
        assert question is not None, "a portal with a question"
        portal.encodings = encoded(question.columns, formats)
        if portal.declared is None and question.target != "catalog":
            portal.lens = await self.lens()
        stream = self._answering.stream(question, portal.params, shape(portal.encodings), portal.lens)
        portal.stream = stream
        await self._line.in_turn(stream.open, stream.interrupt)

    async def take(self, portal: Portal, rows: int, written: Callable[[Columns], bytes]) -> tuple[int, bytes]:
        """The next rows of a portal that is open.

        Args:
            portal: what is answered.
            rows: at most so many.
            written: writes rows, given as cells by column.

        Returns:
            How many, 0 when there are no more, and what was written.

        Raises:
            Refused, QueryRefused: it failed; nothing more can be taken.
        """
        if portal.is_failed:
            raise Refused("55000", "the cursor cannot be run: it failed", hint="Declare it again.")
        stream = portal.stream
        if portal.is_done or stream is None:
            return 0, b""
        portal.goes_on()

        def portion() -> tuple[int, bytes]:
            taken = stream.fetch(rows)
            if not taken:
                return 0, b""
            columns = zip(*taken, strict=True)
            cells = [each.cells(values) for each, values in zip(portal.encodings, columns, strict=True)]
            return len(taken), written(cells)

        try:
            count, content = await self._line.in_turn(portion, stream.interrupt)
        except Exception:
            portal.is_failed = True
            raise
        if not count:
            portal.close()
        return count, content

    async def values(self, expressions: Sequence[Passage], oids: Sequence[int]) -> list[Any]:
        """What some expressions are, as values for parameters.

        Args:
            expressions: as they are written.
            oids: the types that they must have.

        Raises:
            Refused, QueryRefused: they are too many or too few, or one is wrong.
        """
        if len(expressions) != len(oids):
            raise Refused("42601", f"there are {len(expressions)} values for {len(oids)} parameters")
        if not oids:
            return []
        pairs = zip(expressions, oids, strict=True)
        sql = ", ".join(f"cast(({each.text}) as {duckdb_name(oid)})" for each, oid in pairs)
        prepared = await self.read(Passage(f"select {sql}", 0))
        if prepared.parameters:
            raise Refused("42P02", "there are no values for parameters here", hint="Write them out.")
        portal = Portal(prepared)
        found: list[bytes | None] = []
        try:
            await self.open(portal, ())
            await self.take(portal, 1, lambda cells: _kept(found, cells))
        finally:
            portal.close()
        return arguments(found, (), oids)

    async def lens(self) -> Lens | None:
        """The lens that the settings ask for.

        Raises:
            Refused: they cannot be read, or lie in the future.
        """
        asked = tuple(self._variables.values.get(name, "") for name in LENS_VARIABLES)
        if asked != self._lens[0]:
            wanted = dict(zip(LENS_VARIABLES, asked, strict=True))
            self._lens = (asked, await self._line.in_turn(lambda: self._answering.lens(wanted)))
        return self._lens[1]

    async def _renew(self, prepared: Prepared) -> None:
        """Understand again what was understood by other definitions: an upgrade came between."""
        before = prepared.question
        if before is None or prepared.edition == self._answering.edition:
            return
        again = await self.read(Passage(prepared.sql, 0), before.parameters)
        assert again.question is not None
        if again.question.columns != before.columns or again.question.parameters != before.parameters:
            # Drivers know this one, and prepare again.
            message = "cached plan must not change result type"
            raise Refused("0A000", message, hint="Prepare it again.", routine="RevalidateCachedQuery")
        prepared.question, prepared.edition = again.question, again.edition


def encoded(columns: Sequence[Column], formats: Sequence[int]) -> list[Encoding]:
    """How columns are sent.

    Raises:
        Refused: the formats do not fit them.
    """
    try:
        return encodings(columns, formats)
    except ValueError as error:
        raise Refused("08P01", str(error)) from error


def rows_written(columns: Columns) -> bytes:
    """Rows as messages."""
    return messages.data_rows(columns)


def _kept(found: list[bytes | None], cells: Columns) -> bytes:
    found += [None if column[0] == NULL else column[0][4:] for column in cells]
    return b""
