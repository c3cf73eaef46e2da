"""Giving the rows of a question: all of them, a portion at a time, or where a cursor is sent."""

from collections.abc import Sequence

from services.pgwire import messages
from services.pgwire.columns import encodings
from services.pgwire.cursors import Fetch
from services.pgwire.holdings import Holdings
from services.pgwire.line import Line
from services.pgwire.messages import BINARY_FORMAT
from services.pgwire.questions import Columns, Questions, rows_written
from services.pgwire.refusals import Refused
from services.pgwire.statement import Portal

# Rows that are taken, encoded and sent together: some hundred kilobytes.
PORTION_ROWS = 2_000
# What the cursors of one session that go backward may keep together. Fifty sessions with as much as that still fit
# beside the warehouse; whoever pages through an answer looks at a few thousand rows.
SCROLL_BYTES_MAX = 16 << 20


class Fetching:
    """Gives rows to one client.

    Args:
        line: the client.
        questions: answers them.
        holdings: where the cursors are.
    """

    def __init__(self, line: Line, questions: Questions, holdings: Holdings) -> None:
        self._line = line
        self._questions = questions
        self._holdings = holdings

    def formats(self, cursor: Portal, wanted: Sequence[int]) -> Sequence[int]:
        """How a FETCH gives the columns of a cursor, when its client wants these formats; none: as declared."""
        is_binary = cursor.declared is not None and cursor.declared.is_binary
        return wanted or ((BINARY_FORMAT,) if is_binary else ())

    async def answer(self, portal: Portal, rows_max: int) -> None:
        """Give the rows of a question.

        Args:
            portal: the question, perhaps half answered.
            rows_max: at most so many now; 0 for all.
        """
        if portal.is_scroll:
            raise Refused("0A000", "a cursor that scrolls is not executed", hint="FETCH its rows.")
        await self._open(portal, portal.formats)
        given = 0
        while not rows_max or given < rows_max:
            wanted = min(PORTION_ROWS, rows_max - given) if rows_max else PORTION_ROWS
            count, rows = await self._forward(portal, wanted)
            if not count:
                await self._line.send(messages.command_complete(f"SELECT {given}"))
                return
            given += count
            await self._line.send(rows)
        await self._suspend(portal)

    async def fetch(self, portal: Portal, command: Fetch, rows_max: int) -> None:
        """Move a cursor, and give the rows that it passes unless it is only moved.

        Args:
            portal: the FETCH, perhaps half answered.
            command: the same, read.
            rows_max: at most so many rows now; 0 for all.
        """
        cursor = self._holdings.portal(command.name, "cursor")
        formats = () if command.is_move and cursor.encodings else portal.formats
        await self._open(cursor, self.formats(cursor, formats))
        if cursor.is_scroll:
            is_done = await self._fetch_anywhere(portal, cursor, command, rows_max)
        else:
            is_done = await self._fetch_ahead(portal, cursor, command, rows_max)
        cursor.forget_after(self._line.limit_s)
        tag = messages.command_complete(f"{command.verb} {portal.given}")
        await self._line.send(tag if is_done else messages.PORTAL_SUSPENDED)

    async def _fetch_ahead(self, portal: Portal, cursor: Portal, command: Fetch, rows_max: int) -> bool:
        """Fetch with a cursor that goes only forward; whether that is all."""
        skipped, wanted = (0, command.count) if portal.given else _ahead(command, cursor.position)
        while skipped > 0:
            count, _ = await self._forward(cursor, min(PORTION_ROWS, skipped), is_sent=False)
            if not count:
                return True
            skipped -= count
        until = wanted
        if rows_max and not command.is_move:
            until = portal.given + rows_max if wanted is None else min(wanted, portal.given + rows_max)
        while until is None or portal.given < until:
            portion = PORTION_ROWS if until is None else min(PORTION_ROWS, until - portal.given)
            count, rows = await self._forward(cursor, portion, is_sent=not command.is_move)
            if not count:
                return True
            portal.given += count
            if not command.is_move:
                await self._line.send(rows)
        return until == wanted

    async def _fetch_anywhere(self, portal: Portal, cursor: Portal, command: Fetch, rows_max: int) -> bool:
        """Fetch with a cursor that goes backward, too; whether that is all."""
        if portal.rest is None:
            portal.rest = await self._passed(cursor, command)
            portal.given = len(portal.rest)
        if command.is_move:
            return True
        now, portal.rest = (portal.rest[:rows_max], portal.rest[rows_max:]) if rows_max else (portal.rest, [])
        await self._line.send(b"".join(now))
        return not portal.rest

    async def _passed(self, cursor: Portal, command: Fetch) -> list[bytes]:
        """Move a cursor; the rows that it passes, in that order."""
        at, count = cursor.position, command.count
        match command.how:
            case "forward":
                await self._keep(cursor, None if count is None else at + count)
                return self._moved(cursor, at + 1, count)
            case "backward":
                passed = cursor.kept[: max(at - 1, 0)][::-1][:count]
                cursor.position = max(at - len(passed) - (count is None or len(passed) < count), 0)
                return passed
            case "relative":
                target = at + (count or 0)
            case "absolute":
                target = count or 0
                if target < 0:
                    await self._keep(cursor, None)
                    target = max(len(cursor.kept) + 1 + target, 0)
        if target <= 0:
            cursor.position = 0
            return []
        await self._keep(cursor, target)
        return self._moved(cursor, target, 1)

    @staticmethod
    def _moved(cursor: Portal, first: int, count: int | None) -> list[bytes]:
        last = len(cursor.kept)
        until = last if count is None else first + count - 1
        cursor.position = until if until <= last and count is not None else last + 1
        return cursor.kept[first - 1 : until]

    async def _keep(self, cursor: Portal, rows: int | None) -> None:
        """Take rows until so many are kept, or all."""
        while rows is None or len(cursor.kept) < rows:
            wanted = PORTION_ROWS if rows is None else min(PORTION_ROWS, rows - len(cursor.kept))
            taken: list[bytes] = []
            count, _ = await self._questions.take(cursor, wanted, lambda cells: _split(taken, cells))  # noqa: B023
            if not count:
                return
            cursor.kept += taken
            cursor.kept_bytes += sum(map(len, taken))
            if self._holdings.kept_bytes() > SCROLL_BYTES_MAX:
                cursor.kept, cursor.kept_bytes, cursor.is_failed = [], 0, True
                message = f"cursors that scroll keep at most {SCROLL_BYTES_MAX >> 20} MiB in a session"
                raise Refused("54000", message, hint="Declare it NO SCROLL, or narrow the question.")

    async def _forward(self, portal: Portal, rows: int, *, is_sent: bool = True) -> tuple[int, bytes]:
        """The next rows of a portal, and where it stands then."""
        count, content = await self._questions.take(portal, rows, rows_written if is_sent else lambda _: b"")
        if count:
            portal.position += count
        elif portal.is_done and not portal.is_at_end:
            portal.position += 1
            portal.is_at_end = True
        return count, content

    async def _open(self, portal: Portal, formats: Sequence[int]) -> None:
        question = portal.prepared.question
        if portal.is_open:
            assert question is not None
            if portal.declared and [e.field.format for e in encodings(question.columns, formats)] != [
                each.field.format for each in portal.encodings
            ]:
                raise Refused("0A000", "a cursor gives all its rows in one format", hint="Declare another.")
            return
        portal.is_open = True
        try:
            await self._questions.open(portal, formats)
        except Exception:
            portal.is_failed = True
            raise

    async def _suspend(self, portal: Portal) -> None:
        portal.forget_after(self._line.limit_s)
        await self._line.send(messages.PORTAL_SUSPENDED)


def _ahead(command: Fetch, position: int) -> tuple[int, int | None]:
    """How many rows to skip and how many to give (None: all), for a cursor that goes only forward.

    Raises:
        Refused: it is sent backward.
    """
    count = command.count
    match command.how:
        case "forward":
            return 0, count
        case "absolute" if count is not None and count > position:
            return count - position - 1, 1
        case "relative" if count is not None and count > 0:
            return count - 1, 1
        case "absolute" | "relative" if count == 0 and position == 0:
            return 0, 0
    raise Refused("55000", "cursor can only scan forward", hint="Declare it with SCROLL option.")


def _split(taken: list[bytes], columns: Columns) -> bytes:
    taken += [messages.data_rows([[cell] for cell in row]) for row in zip(*columns, strict=True)]
    return b""
