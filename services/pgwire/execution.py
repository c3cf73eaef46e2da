"""Running one statement of a session: a command changes the session, a question is answered in portions."""

from collections.abc import Sequence

from projections.catalog import Column
from projections.postgres.lexer import Passage
from services.pgwire import messages
from services.pgwire.commands import (
    AboutQuestion,
    Begin,
    Command,
    End,
    Nothing,
    ResetAll,
    Savepoint,
    Set,
    Show,
    read_command,
)
from services.pgwire.copy_rows import CopyRows
from services.pgwire.copying import CopyOut
from services.pgwire.cursors import CloseCursor, Declare, Fetch
from services.pgwire.fetching import PORTION_ROWS, Fetching
from services.pgwire.holdings import Holdings
from services.pgwire.lens import LENS_VARIABLES
from services.pgwire.line import Line
from services.pgwire.messages import Field
from services.pgwire.preparing import Deallocate, Execute, Prepare
from services.pgwire.questions import Questions, encoded
from services.pgwire.refusals import Refused, warning
from services.pgwire.statement import Portal, Prepared
from services.pgwire.transaction import Transaction
from services.pgwire.variables import Variables


class Execution:
    """Runs the statements of one client.

    Args:
        line: the client.
        questions: answers them.
        holdings: what they hold by name.
        transaction: theirs.
        variables: the settings.
    """

    def __init__(
        self,
        line: Line,
        questions: Questions,
        holdings: Holdings,
        transaction: Transaction,
        variables: Variables,
    ) -> None:
        self._line = line
        self._questions = questions
        self._holdings = holdings
        self._transaction = transaction
        self._variables = variables
        self._fetching = Fetching(line, questions, holdings)

    async def read(self, sql: str, declared: Sequence[int] = ()) -> Prepared:
        """Understand a statement.

        Args:
            sql: its text.
            declared: the OIDs of its parameters' types, 0 for one that is to be found out.

        Raises:
            Refused, QueryRefused: it cannot be.
        """
        command = read_command(sql)
        self._transaction.refuse_if_failed(command)
        if command is None:
            return await self._questions.read(Passage(sql, 0), declared)
        if not isinstance(command, AboutQuestion):
            return Prepared(command)
        types = command.types if isinstance(command, Prepare) else declared
        prepared = await self._questions.read(command.question, types)
        prepared.command = command
        if isinstance(command, CopyOut) and prepared.parameters:
            raise Refused("42P02", "there are no parameters in COPY", hint="Write the values out.")
        return prepared

    def fields(self, portal: Portal) -> list[Field] | None:
        """The columns of the answer; None when it has none.

        Raises:
            Refused: the client's formats do not fit them.
        """
        columns = self._columns(portal.prepared)
        if columns is None:
            return None
        formats = portal.formats
        if isinstance(fetch := portal.prepared.command, Fetch):
            formats = self._fetching.formats(self._holdings.portal(fetch.name, "cursor"), formats)
        return [each.field for each in encoded(columns, formats)]

    async def execute(self, portal: Portal, rows_max: int) -> None:
        """Run a statement, or go on with it.

        Args:
            portal: the statement.
            rows_max: at most so many rows; 0 for all.

        Raises:
            Refused, QueryRefused: it failed.
        """
        command = portal.prepared.command
        self._transaction.refuse_if_failed(command)
        if isinstance(command, Execute):
            named = self._question(command.name)
            portal.params = await self._questions.values(command.values, named.parameters)
            portal.prepared, command = named, None
        match command:
            case None if portal.prepared.question is None:
                await self._line.send(messages.EMPTY_QUERY)
            case None:
                await self._fetching.answer(portal, rows_max)
            case Fetch():
                await self._fetching.fetch(portal, command, rows_max)
            case CopyOut():
                await self._copy_out(portal, command)
            case _:
                await self._carry_out(portal, command)

    def _columns(self, prepared: Prepared) -> Sequence[Column] | None:
        match prepared.command:
            case None:
                return prepared.question.columns if prepared.question else None
            case Show(name):
                named = ("name", "setting", "description") if not name else (self._variables.show(name)[0],)
                return [Column(each, "VARCHAR") for each in named]
            case Execute(name):
                return self._columns(self._question(name))
            case Fetch(name, is_move=False):
                return self._columns(self._holdings.portal(name, "cursor").prepared)
        return None

    def _question(self, name: str) -> Prepared:
        """What EXECUTE asks."""
        named = self._holdings.statement(name)
        if named.command is not None:
            raise Refused("0A000", f'prepared statement "{name}" is no SELECT', hint="Execute it by the protocol.")
        return named

    async def _copy_out(self, portal: Portal, command: CopyOut) -> None:
        question = portal.prepared.question
        assert question is not None
        written = CopyRows(command, [column.name for column in question.columns])
        total = 0
        try:
            await self._questions.open(portal, (written.format,))
            await self._line.send(written.begin())
            while True:
                count, content = await self._questions.take(portal, PORTION_ROWS, written.rows)
                if not count:
                    break
                total += count
                await self._line.send(content)
        finally:
            portal.close()
        await self._line.send(written.end() + messages.command_complete(f"COPY {total}"))

    async def _carry_out(self, portal: Portal, command: Command) -> None:
        told = self._variables.told()
        tag = await self._done(portal, command)
        changed = {name: value for name, value in self._variables.told().items() if told[name] != value}
        statuses = b"".join(messages.parameter_status(name, value) for name, value in changed.items())
        await self._line.send(statuses + messages.command_complete(tag))

    async def _done(self, portal: Portal, command: Command) -> str:
        """Do what a command says; how it is called."""
        match command:
            case Set(name, value, is_local, tag):
                await self._set(name, value, is_local)
            case Show(name):
                await self._line.send(self._shown(name))
                tag = "SHOW"
            case ResetAll(tag):
                self._reset(tag)
            case Begin(tag):
                await self._warn("25001", self._transaction.begin(command))
            case End():
                tag, warned = self._transaction.end(command)
                await self._warn("25P01", warned)
            case Savepoint(tag):
                self._transaction.savepoint(command)
            case Prepare(name):
                self._holdings.prepare(name, portal.prepared.question_alone())
                tag = "PREPARE"
            case Deallocate(name):
                tag = self._deallocate(name)
            case Declare():
                await self._declare(portal, command)
                tag = "DECLARE CURSOR"
            case CloseCursor(name):
                tag = self._close(name)
            case Nothing(tag):
                pass
            case _:
                raise AssertionError(f"{command} is answered elsewhere")
        return tag

    async def _declare(self, portal: Portal, command: Declare) -> None:
        if not command.is_held and not self._transaction.is_block:
            hint = "BEGIN begins one; a cursor WITH HOLD needs none."
            raise Refused("25P01", "DECLARE CURSOR can only be used in transaction blocks", hint=hint)
        cursor = Portal(portal.prepared.question_alone(), portal.params, declared=command)
        # What it sees is fixed here, as far as the session's settings say.
        cursor.lens = await self._questions.lens()
        self._holdings.open(command.name, cursor)

    def _close(self, name: str) -> str:
        if not name:
            self._holdings.close_all()
            return "CLOSE CURSOR ALL"
        self._holdings.portal(name, "cursor")
        self._holdings.close(name)
        return "CLOSE CURSOR"

    def _deallocate(self, name: str) -> str:
        if not name:
            self._holdings.forget_all()
            return "DEALLOCATE ALL"
        self._holdings.statement(name)
        self._holdings.forget(name)
        return "DEALLOCATE"

    def _reset(self, tag: str) -> None:
        if tag == "DISCARD ALL":
            if self._transaction.is_block:
                raise Refused("25001", "DISCARD ALL cannot run inside a transaction block")
            self._holdings.forget_all()
            self._holdings.close_all()
        self._variables.reset_all()

    async def _set(self, name: str, value: str | None, is_local: bool) -> None:
        before = self._variables.state()
        if is_local and not self._transaction.is_block:
            await self._warn("25P01", "SET LOCAL can only be used in transaction blocks")
        self._variables.set(name, value, is_local=is_local)
        if name.lower() in LENS_VARIABLES:
            try:
                await self._questions.lens()
            except Exception:
                self._variables.restore(before)
                raise
        if not self._transaction.is_block:
            self._variables.end_local()

    async def _warn(self, code: str, message: str) -> None:
        if message:
            await self._line.send(messages.problem(warning(code, message)))

    def _shown(self, name: str) -> bytes:
        rows = [self._variables.show(name)[1:]] if name else list(self._variables.shown())
        columns = [[messages.cell(value.encode()) for value in column] for column in zip(*rows, strict=True)]
        return messages.data_rows(columns)
