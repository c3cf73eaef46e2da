"""Running one statement of a session: a command changes the session, a question is answered in portions."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from projections.lens import Lens
from projections.postgres.dialect import Asker
from services.pgwire import messages
from services.pgwire.answering import Answering
from services.pgwire.columns import encodings, shape
from services.pgwire.commands import Begin, Command, Deallocate, End, Nothing, ResetAll, Set, Show, read_command
from services.pgwire.lens import LENS_VARIABLES
from services.pgwire.messages import Field
from services.pgwire.refusals import FAILED_TRANSACTION, Refused, warning
from services.pgwire.statement import Portal, Prepared
from services.pgwire.turns import Turns, Watch
from services.pgwire.variables import SERVER_VERSION, STATEMENT_TIMEOUT, Variables

# Rows that are taken, encoded and sent together: some hundred kilobytes.
PORTION_ROWS = 2_000

DATABASE = "recount"
IDLE, IN_TRANSACTION, FAILED = b"I", b"T", b"E"

Result = TypeVar("Result")


class ClientGone(Exception):
    """The client does not take what is sent to it."""


class Execution:
    """Runs the statements of one client.

    Args:
        reader: tells whether the client is still there.
        writer: where the answers go.
        user: who logged in.
        variables: the settings.
        answering: who answers questions.
        turns: where they run.
        timeout_s: how long a statement may take.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        user: str,
        variables: Variables,
        answering: Answering,
        turns: Turns,
        timeout_s: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._user = user
        self._variables = variables
        self._answering = answering
        self._turns = turns
        self._timeout_s = timeout_s
        self._watch: Watch | None = None
        self._lens: tuple[tuple[str, ...], Lens | None] = (("", "", ""), None)
        self.status = IDLE
        """Of the transaction, as the message ReadyForQuery tells it."""

    def cancel(self) -> None:
        """End the statement that runs, if one does."""
        if self._watch is not None:
            self._watch.cancel()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """What is done within is one statement: it may be cancelled, and its time is limited."""
        around = self._watch
        self._watch = Watch(self._limit_s, lambda: self._reader.at_eof() or self._writer.is_closing())
        try:
            yield
        finally:
            self._watch = around

    async def check_lens(self) -> None:
        """Check the lens that the client connected with.

        Raises:
            Refused: it cannot be read.
        """
        with self.watched():
            await self._current_lens()

    async def send(self, content: bytes) -> None:
        """Send to the client, and wait until it has taken most of it.

        Raises:
            ClientGone: it takes nothing.
        """
        self._writer.write(content)
        try:
            async with asyncio.timeout(self._watch.left_s if self._watch else self._timeout_s):
                await self._writer.drain()
        except TimeoutError as error:
            raise ClientGone(f"{self._user} does not take what was asked for") from error

    async def read(self, sql: str, declared: list[int]) -> Prepared:
        """Understand a statement.

        Args:
            sql: its text.
            declared: the OIDs of its parameters' types, 0 for one that is to be found out.

        Raises:
            Refused, QueryRefused: it cannot be.
        """
        command = read_command(sql)
        if self.status == FAILED and not isinstance(command, End):
            raise Refused(FAILED_TRANSACTION, "the transaction has failed", hint="ROLLBACK ends it.")
        if command is not None:
            return Prepared(command=command)
        settings = dict(self._variables.values) | {"version": f"PostgreSQL {SERVER_VERSION} (Recount)"}
        asker = Asker(self._user, DATABASE, settings)
        question = await self._in_turn(lambda: self._answering.understand(sql, asker, declared))
        return Prepared(question=question)

    def fields(self, portal: Portal) -> list[Field] | None:
        """The columns of the answer; None when it has none."""
        match portal.prepared:
            case Prepared(question=None, command=Show(name)):
                named = ("name", "setting", "description") if not name else (self._variables.show(name)[0],)
                return [Field(each, 25, -1, 0) for each in named]
            case Prepared(question=None):
                return None
            case Prepared(question=question):
                assert question is not None
                try:
                    portal.encodings = encodings(question.columns, portal.formats)
                except ValueError as error:
                    raise Refused("08P01", str(error)) from error
                return [each.field for each in portal.encodings]

    async def execute(self, portal: Portal, rows_max: int) -> str | None:
        """Run a statement, or go on with it.

        Args:
            portal: the statement.
            rows_max: at most so many rows; 0 for all.

        Returns:
            Which prepared statement is to be forgotten; empty for all, None for none.

        Raises:
            Refused, QueryRefused: it failed.
        """
        prepared = portal.prepared
        if self.status == FAILED and not isinstance(prepared.command, End):
            raise Refused(FAILED_TRANSACTION, "the transaction has failed", hint="ROLLBACK ends it.")
        if prepared.command is not None:
            await self._carry_out(prepared.command)
            return _forgotten(prepared.command)
        if prepared.question is None:
            await self.send(messages.EMPTY_QUERY)
        elif portal.is_done:
            await self.send(messages.command_complete("SELECT 0"))
        else:
            await self._give_rows(portal, rows_max)
        return None

    async def _give_rows(self, portal: Portal, rows_max: int) -> None:
        question = portal.prepared.question
        assert question is not None
        if portal.stream is None:
            lens = await self._current_lens() if question.target == "views" else None
            stream = self._answering.stream(question, portal.params, shape(portal.encodings), lens)
            portal.stream = stream
            await self._in_turn(stream.open, stream.interrupt)
        stream, given = portal.stream, 0
        while not rows_max or given < rows_max:
            wanted = min(PORTION_ROWS, rows_max - given) if rows_max else PORTION_ROWS
            count, rows = await self._in_turn(lambda: _portion(portal, wanted), stream.interrupt)  # noqa: B023
            if not count:
                portal.close()
                await self.send(messages.command_complete(f"SELECT {given}"))
                return
            given += count
            await self.send(rows)
        portal.forget_after(self._limit_s)
        await self.send(messages.PORTAL_SUSPENDED)

    async def _carry_out(self, command: Command) -> None:
        told = self._variables.told()
        match command:
            case Set(name, value, is_local, tag):
                await self._set(name, value, is_local)
            case Show(name):
                await self.send(self._shown(name))
                tag = "SHOW"
            case ResetAll(tag):
                self._variables.reset_all()
            case Begin(tag):
                if self.status == IN_TRANSACTION:
                    await self.send(messages.problem(warning("25001", "there is a transaction already")))
                else:
                    self._variables.begin()
                self.status = IN_TRANSACTION
            case End(is_kept):
                tag = await self._end_transaction(is_kept)
            case Deallocate(name):
                tag = "DEALLOCATE ALL" if not name else "DEALLOCATE"
            case Nothing(tag):
                pass
        changed = {name: value for name, value in self._variables.told().items() if told[name] != value}
        statuses = b"".join(messages.parameter_status(name, value) for name, value in changed.items())
        await self.send(statuses + messages.command_complete(tag))

    async def _set(self, name: str, value: str | None, is_local: bool) -> None:
        before = self._variables.values.get(name.lower(), "")
        self._variables.set(name, value, is_local=is_local)
        if name.lower() in LENS_VARIABLES:
            try:
                await self._current_lens()
            except Exception:
                self._variables.set(name, before, is_local=is_local)
                raise

    def _shown(self, name: str) -> bytes:
        rows = [self._variables.show(name)[1:]] if name else list(self._variables.shown())
        columns = [[messages.cell(value.encode()) for value in column] for column in zip(*rows, strict=True)]
        return messages.data_rows(columns)

    async def _end_transaction(self, is_kept: bool) -> str:
        if self.status == IDLE:
            await self.send(messages.problem(warning("25P01", "there is no transaction")))
            return "COMMIT" if is_kept else "ROLLBACK"
        is_kept = is_kept and self.status == IN_TRANSACTION
        self._variables.end(is_kept=is_kept)
        self.status = IDLE
        return "COMMIT" if is_kept else "ROLLBACK"

    async def _current_lens(self) -> Lens | None:
        asked = tuple(self._variables.values.get(name, "") for name in LENS_VARIABLES)
        if asked != self._lens[0]:
            wanted = dict(zip(LENS_VARIABLES, asked, strict=True))
            self._lens = (asked, await self._in_turn(lambda: self._answering.lens(wanted)))
        return self._lens[1]

    @property
    def _limit_s(self) -> float:
        own = int(self._variables.values[STATEMENT_TIMEOUT]) / 1_000
        return min(own, self._timeout_s) if own else self._timeout_s

    async def _in_turn(self, work: Callable[[], Result], interrupt: Callable[[], None] = lambda: None) -> Result:
        assert self._watch is not None, "within a statement"
        return await self._turns.take(work, self._watch, interrupt)


def _forgotten(command: Command) -> str | None:
    match command:
        case Deallocate(name):
            return name
        case ResetAll(tag) if tag.startswith("DISCARD"):
            return ""
    return None


def _portion(portal: Portal, rows: int) -> tuple[int, bytes]:
    """The next rows, taken and encoded; their number and the messages."""
    assert portal.stream is not None
    taken = portal.stream.fetch(rows)
    if not taken:
        return 0, b""
    columns = zip(*taken, strict=True)
    return len(taken), messages.data_rows(
        [each.cells(values) for each, values in zip(portal.encodings, columns, strict=True)]
    )
