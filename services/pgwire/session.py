"""One client after it has logged in: its messages, in order, each answered (PostgreSQL's manual, section 55.2)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from projections.postgres.lexer import statements
from services.pgwire import messages
from services.pgwire.arguments import arguments
from services.pgwire.execution import FAILED, IDLE, IN_TRANSACTION, ClientGone, Execution
from services.pgwire.messages import Body, Problem, ProtocolViolation
from services.pgwire.refusals import Refused, problem_of
from services.pgwire.statement import Portal, Prepared

logger = logging.getLogger("recount.pgwire")

# As many as drivers keep in their caches, and no more.
STATEMENTS_MAX = 2_000
PORTALS_MAX = 64


class Session:
    """Answers one client.

    Args:
        reader: its messages.
        execution: runs its statements, and sends to it.
    """

    def __init__(self, reader: asyncio.StreamReader, execution: Execution) -> None:
        self._reader = reader
        self._execution = execution
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._skips_until_sync = False

    def cancel(self) -> None:
        """End the statement that runs, if one does."""
        self._execution.cancel()

    async def run(self) -> None:
        """Answer until the client leaves.

        Raises:
            ProtocolViolation: it sent what is no message.
            ClientGone: it does not take the answers.
            asyncio.IncompleteReadError: it went away.
        """
        try:
            await self._execution.send(messages.ready(self._execution.status))
            while True:
                kind, body = await messages.read_message(self._reader)
                if kind == b"X":
                    return
                await self._answer(kind, body)
        finally:
            self._close_portals()

    async def _answer(self, kind: bytes, body: Body) -> None:
        if kind == b"S":
            self._skips_until_sync = False
            if self._execution.status == IDLE:
                self._close_portals()
            await self._execution.send(messages.ready(self._execution.status))
        elif self._skips_until_sync or kind in (b"d", b"c", b"f"):
            return  # what follows an error, or a COPY that was refused
        elif kind == b"Q":
            await self._told_of_problems(self._simple_query(body.text()))
            await self._execution.send(messages.ready(self._execution.status))
        elif (handler := self._handlers.get(kind)) is not None:
            self._skips_until_sync = not await self._told_of_problems(handler(self, body))
        else:
            raise ProtocolViolation(f"{kind!r} is no message that is taken")

    async def _told_of_problems(self, work: Awaitable[None]) -> bool:
        """Do something and tell the client when it fails; whether it did not."""
        try:
            with self._execution.watched():
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
        if self._execution.status == IN_TRANSACTION:
            self._execution.status = FAILED
        await self._execution.send(messages.problem(told))

    # The simple protocol: a text with any number of statements.

    async def _simple_query(self, sql: str) -> None:
        self._drop_portal("")
        self._prepared.pop("", None)
        found = statements(sql)
        if not found:
            await self._execution.send(messages.EMPTY_QUERY)
        for start, each in found:
            try:
                # Each has its own time, as in PostgreSQL since version 13.
                with self._execution.watched():
                    await self._run_simply(each)
            except Exception as error:
                told = problem_of(error)
                if told is not None and told.position and start:
                    place = told.position + start
                    raise Refused(told.code, told.message, hint=told.hint, position=place) from error
                raise

    async def _run_simply(self, sql: str) -> None:
        portal = Portal(await self._execution.read(sql, []))
        try:
            if portal.prepared.question is not None and portal.prepared.question.parameters:
                raise Refused("42P02", "there are no values for parameters here", hint="Bind them, or write them out.")
            fields = self._execution.fields(portal)
            if fields is not None:
                await self._execution.send(messages.row_description(fields))
            await self._run(portal, 0)
        finally:
            portal.close()

    # The extended protocol: parse, bind, describe, execute.

    async def _parse(self, body: Body) -> None:
        name, sql = body.text(), body.text()
        declared = [body.int32() for _ in range(body.count())]
        if name and name in self._prepared:
            raise Refused("42P05", f"there is a prepared statement {name} already")
        if len(self._prepared) >= STATEMENTS_MAX:
            raise Refused("54000", f"there are {STATEMENTS_MAX} prepared statements already", hint="DEALLOCATE ALL")
        found = statements(sql)
        if len(found) > 1:
            raise Refused("42601", "there are several statements in a prepared one")
        self._prepared[name] = await self._execution.read(found[0][1], declared) if found else Prepared()
        await self._execution.send(messages.PARSE_COMPLETE)

    async def _bind(self, body: Body) -> None:
        portal_name, name = body.text(), body.text()
        formats = body.int16s()
        values = [body.cell() for _ in range(body.count())]
        result_formats = body.int16s()
        prepared = self._statement(name)
        if portal_name and portal_name in self._portals:
            raise Refused("42P03", f"there is a portal {portal_name} already")
        if len(self._portals) >= PORTALS_MAX:
            raise Refused("54000", f"there are {PORTALS_MAX} portals already", hint="Close those that are done.")
        oids = prepared.question.parameters if prepared.question else ()
        portal = Portal(prepared, arguments(values, formats, oids), result_formats)
        self._execution.fields(portal)
        self._drop_portal(portal_name)
        self._portals[portal_name] = portal
        await self._execution.send(messages.BIND_COMPLETE)

    async def _describe(self, body: Body) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S":
            prepared = self._statement(name)
            oids = prepared.question.parameters if prepared.question else ()
            await self._execution.send(messages.parameter_description(oids))
            fields = self._execution.fields(Portal(prepared))
        else:
            fields = self._execution.fields(self._portal(name))
        await self._execution.send(messages.NO_DATA if fields is None else messages.row_description(fields))

    async def _execute(self, body: Body) -> None:
        portal, rows_max = self._portal(body.text()), body.int32()
        portal.goes_on()
        await self._run(portal, max(rows_max, 0))

    async def _close(self, body: Body) -> None:
        kind, name = body.take(1), body.text()
        if kind == b"S":
            self._prepared.pop(name, None)
        else:
            self._drop_portal(name)
        await self._execution.send(messages.CLOSE_COMPLETE)

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

    async def _run(self, portal: Portal, rows_max: int) -> None:
        forgotten = await self._execution.execute(portal, rows_max)
        if forgotten is not None:
            self._deallocate(forgotten)

    def _deallocate(self, name: str) -> None:
        if not name:
            self._prepared = {key: each for key, each in self._prepared.items() if not key}
        elif self._prepared.pop(name, None) is None:
            raise Refused("26000", f"there is no prepared statement {name}")

    def _statement(self, name: str) -> Prepared:
        if name not in self._prepared:
            raise Refused("26000", f"there is no prepared statement {name or 'without a name'}")
        return self._prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise Refused("34000", f"there is no portal {name or 'without a name'}")
        return self._portals[name]

    def _drop_portal(self, name: str) -> None:
        if (portal := self._portals.pop(name, None)) is not None:
            portal.close()

    def _close_portals(self) -> None:
        for name in list(self._portals):
            self._drop_portal(name)
