"""One client after it has logged in: its messages, in order, each answered (PostgreSQL's manual, section 55.2)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from projections.postgres.lexer import statements
from services.pgwire import messages
from services.pgwire.answering import Answering
from services.pgwire.arguments import arguments
from services.pgwire.execution import Execution
from services.pgwire.holdings import Holdings
from services.pgwire.line import ClientGone, Line
from services.pgwire.login import LoggedIn
from services.pgwire.messages import Body, Problem, ProtocolViolation
from services.pgwire.questions import Questions
from services.pgwire.refusals import Refused, problem_of, within
from services.pgwire.statement import Portal, Prepared
from services.pgwire.transaction import IDLE, Transaction
from services.pgwire.turns import Turns
from services.pgwire.variables import STATEMENT_TIMEOUT

logger = logging.getLogger("recount.pgwire")


class Session:
    """Answers one client.

    Args:
        logged_in: the client.
        answering: who answers questions.
        turns: where they run.
        timeout_s: how long a statement may take.
    """

    def __init__(self, logged_in: LoggedIn, answering: Answering, turns: Turns, timeout_s: float) -> None:
        self._reader = logged_in.reader
        self._variables = logged_in.variables
        self._timeout_s = timeout_s
        self._line = Line(logged_in.reader, logged_in.writer, turns, self._limit_s)
        self._holdings = Holdings()
        self._transaction = Transaction(self._variables, self._holdings)
        self._questions = Questions(self._line, answering, logged_in.user, self._variables)
        self._execution = Execution(self._line, self._questions, self._holdings, self._transaction, self._variables)
        self._skips_until_sync = False

    def cancel(self) -> None:
        """End the statement that runs, if one does."""
        self._line.cancel()

    async def check_lens(self) -> None:
        """Check the lens that the client connected with.

        Raises:
            Refused: it cannot be read.
        """
        with self._line.watched():
            await self._questions.lens()

    async def run(self) -> None:
        """Answer until the client leaves.

        Raises:
            ProtocolViolation: it sent what is no message.
            ClientGone: it does not take the answers.
            asyncio.IncompleteReadError: it went away.
        """
        try:
            await self._line.send(messages.ready(self._transaction.status))
            while True:
                kind, body = await messages.read_message(self._reader)
                if kind == b"X":
                    return
                await self._answer(kind, body)
        finally:
            self._holdings.close_all()

    async def _answer(self, kind: bytes, body: Body) -> None:
        if kind == b"S":
            self._skips_until_sync = False
            if self._transaction.status == IDLE:
                self._holdings.close_those([each for each in self._holdings.portals() if not each.is_held])
            await self._line.send(messages.ready(self._transaction.status))
        elif self._skips_until_sync or kind in (b"d", b"c", b"f"):
            return  # what follows an error, or a COPY that was refused
        elif kind == b"Q":
            await self._told_of_problems(self._simple_query(body.text()))
            await self._line.send(messages.ready(self._transaction.status))
        elif (handler := self._handlers.get(kind)) is not None:
            self._skips_until_sync = not await self._told_of_problems(handler(self, body))
        else:
            raise ProtocolViolation(f"{kind!r} is no message that is taken")

    async def _told_of_problems(self, work: Awaitable[None]) -> bool:
        """Do something and tell the client when it fails; whether it did not."""
        try:
            with self._line.watched():
                await work
            return True
        except (ProtocolViolation, ClientGone, asyncio.IncompleteReadError, ConnectionError):
            raise
        except Exception as error:
            await self._tell(error)
            return False

    async def _tell(self, error: Exception) -> None:
        told = problem_of(error)
        if told is None:
            logger.exception("a statement failed")
            hint = "The log of the readers process says why."
            told = Problem(severity="ERROR", code="XX000", message="internal error", hint=hint)
        self._transaction.fail()
        await self._line.send(messages.problem(told))

    # The simple protocol: a text with any number of statements.

    async def _simple_query(self, sql: str) -> None:
        self._holdings.close("")
        self._holdings.forget("")
        found = statements(sql)
        if not found:
            await self._line.send(messages.EMPTY_QUERY)
        is_kept = False
        try:
            for start, each in found:
                if len(found) > 1:
                    self._transaction.begin_implicitly()
                # Each has its own time, as in PostgreSQL since version 13.
                with within(start), self._line.watched():
                    await self._run_simply(each)
            is_kept = True
        finally:
            self._transaction.end_implicitly(is_kept=is_kept)

    async def _run_simply(self, sql: str) -> None:
        prepared = await self._execution.read(sql)
        if prepared.parameters:
            raise Refused("42P02", "there are no values for parameters here", hint="Bind them, or write them out.")
        portal = Portal(prepared)
        try:
            fields = self._execution.fields(portal)
            if fields is not None:
                await self._line.send(messages.row_description(fields))
            await self._execution.execute(portal, 0)
        finally:
            portal.close()

    # The extended protocol: parse, bind, describe, execute.

    async def _parse(self, body: Body) -> None:
        name, sql = body.text(), body.text()
        declared = [body.int32() for _ in range(body.count())]
        found = statements(sql)
        if len(found) > 1:
            raise Refused("42601", "cannot insert multiple commands into a prepared statement")
        if not name:
            self._holdings.forget("")
        prepared = Prepared()
        if found:
            with within(found[0][0]):
                prepared = await self._execution.read(found[0][1], declared)
        self._holdings.prepare(name, prepared)
        await self._line.send(messages.PARSE_COMPLETE)

    async def _bind(self, body: Body) -> None:
        portal_name, name = body.text(), body.text()
        formats = body.int16s()
        values = [body.cell() for _ in range(body.count())]
        result_formats = body.int16s()
        prepared = self._holdings.statement(name)
        portal = Portal(prepared, arguments(values, formats, prepared.parameters), result_formats)
        self._execution.fields(portal)
        self._holdings.open(portal_name, portal)
        await self._line.send(messages.BIND_COMPLETE)

    async def _describe(self, body: Body) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S":
            prepared = self._holdings.statement(name)
            await self._line.send(messages.parameter_description(prepared.parameters))
            fields = self._execution.fields(Portal(prepared))
        else:
            fields = self._execution.fields(self._holdings.portal(name))
        await self._line.send(messages.NO_DATA if fields is None else messages.row_description(fields))

    async def _execute(self, body: Body) -> None:
        portal, rows_max = self._holdings.portal(body.text()), body.int32()
        await self._execution.execute(portal, max(rows_max, 0))

    async def _close(self, body: Body) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S":
            self._holdings.forget(name)
        else:
            self._holdings.close(name)
        await self._line.send(messages.CLOSE_COMPLETE)

    async def _flush(self, _body: Body) -> None:
        return  # everything is sent at once

    async def _function_call(self, _body: Body) -> None:
        raise Refused("0A000", "functions are called in a SELECT")

    _handlers: dict[bytes, Callable[["Session", Body], Awaitable[None]]] = {
        b"P": _parse,
        b"B": _bind,
        b"D": _describe,
        b"E": _execute,
        b"C": _close,
        b"H": _flush,
        b"F": _function_call,
    }

    def _limit_s(self) -> float:
        own = int(self._variables.values[STATEMENT_TIMEOUT]) / 1_000
        return min(own, self._timeout_s) if own else self._timeout_s
