"""Reading the warehouse from handlers: in threads, at a position, and not before it has caught up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from projections.answer_file import Written
from projections.change import Diff
from projections.lens import AsOf, Lens
from projections.query import Table
from projections.warehouse import Warehouse
from services.clock import Clock
from services.web.problems import Problem
from services.web.upkeep import Upkeep

# How long a reader waits for its own writes; the projector is normally there within 0.15 s.
WAIT_S_MAX = 5.0
# Queries of people at once. Each may use every core until its time limit; pages must stay quick meanwhile.
SQL_AT_ONCE_MAX = 2
# How long a query waits for its turn before it is told to come again.
SQL_TURN_S_MAX = 10.0
# 18 digits hold a billion events a second for thirty years, and fit a signed 64-bit number.
POSITION_DIGITS_MAX = 19


class Projecting(Upkeep, Protocol):
    """What the web needs of the projector."""

    warehouse: Warehouse
    trouble: str

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the warehouse holds a position; False when it took longer than the timeout, in seconds."""
        ...


class Reader:
    """Asks the warehouse.

    Args:
        projector: keeps the warehouse, and tells how far it is.
        clock: tells whether a time lies in the future.
    """

    def __init__(self, projector: Projecting, clock: Clock) -> None:
        self._projector = projector
        self._clock = clock
        self._turns = asyncio.Semaphore(SQL_AT_ONCE_MAX)

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse itself, for what is not a query. Call it in a thread."""
        return self._projector.warehouse

    @property
    def upkeep(self) -> Upkeep:
        """What looks after the warehouse."""
        return self._projector

    @property
    def position(self) -> int:
        """The last log position that the warehouse holds."""
        return self.warehouse.position

    @property
    def trouble(self) -> str:
        """Why the warehouse does not follow the log at the moment; empty while it does."""
        return self._projector.trouble

    @property
    def now(self) -> datetime:
        """The present moment, UTC."""
        return self._clock.now()

    async def ask(self, sql: str, params: Sequence[object] = (), *, as_of: AsOf = None, about: str = "") -> Table:
        """The answer to a query of ours; with ``about``, one that wants the rows of one stream alone."""
        return await asyncio.to_thread(self.warehouse.ask, sql, params, as_of=as_of, about=about)

    async def rows(
        self, sql: str, params: Sequence[object] = (), *, as_of: AsOf = None, about: str = ""
    ) -> list[dict[str, Any]]:
        """The same, each row by column name."""
        return as_rows(await self.ask(sql, params, as_of=as_of, about=about))

    def position_of(self, lens: AsOf) -> int:
        """The last log position that a lens lets through; that of the present for None."""
        position = lens.position if isinstance(lens, Lens) else lens
        return self.position if position is None else position

    async def stored_position(self) -> int:
        """The position in the same transaction as the rows: between two equal answers nothing was applied."""
        return int((await self.ask("select position from warehouse_state")).rows[0][0])

    async def recorded_at(self, position: int) -> datetime | None:
        """When the last event up to a position was recorded, UTC without a zone; None for an empty log."""
        table = await self.ask("select recorded_at from log where seq <= ? order by seq desc limit 1", (position,))
        return table.rows[0][0] if table.rows else None

    async def ask_for_people(self, sql: str, *, as_of: AsOf = None) -> Table:
        """The answer to a query that somebody typed: sandboxed and limited.

        Raises:
            QueryRefused: it may not run, does not parse, or took too long.
            Problem: 503, too many queries run already.
        """
        async with self._turn():
            return await asyncio.to_thread(self.warehouse.ask_sandboxed, sql, as_of=as_of)

    async def write_for_people(self, sql: str, path: Path, *, as_of: AsOf = None) -> Written:
        """The same into an Arrow file, which may hold far more rows."""
        async with self._turn():
            return await asyncio.to_thread(self.warehouse.write_sandboxed, sql, path, as_of=as_of)

    async def diff(self, before: AsOf, after: AsOf, *, views: Sequence[str] = (), incident_id: str = "") -> Diff:
        """What two lenses show differently, row by row. It takes a turn, as a query of somebody does.

        Raises:
            UnknownView: there is none of that name.
            QueryRefused: it took too long.
        """
        async with self._turn():
            return await asyncio.to_thread(self.warehouse.diff, before, after, views=views, incident_id=incident_id)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await asyncio.wait_for(self._turns.acquire(), SQL_TURN_S_MAX)
        except TimeoutError as error:
            raise Problem(
                503,
                "The query was not run",
                because=f"{SQL_AT_ONCE_MAX} other queries are running",
                instead="Try again in a moment.",
            ) from error
        try:
            yield
        finally:
            self._turns.release()

    async def wait_for(self, position: int) -> None:
        """Wait until the warehouse holds a position: read your own writes.

        Raises:
            Problem: 503, it is not there in time.
        """
        if await self._projector.wait_for(position, WAIT_S_MAX):
            return
        raise Problem(
            503,
            f"Position {position} is not readable yet",
            because=f"after {WAIT_S_MAX:.0f} s the projector is at {self.position}",
            instead="Try again; `recount doctor` tells whether the projector is behind.",
        )

    async def lens(self, *, as_of: str = "", known_by: str = "", happened_by: str = "") -> Lens | None:
        """The lens that three texts mean, at one fixed position; None for the present, when all are empty.

        Args:
            as_of: a log position, or a time for the last position recorded by then; empty for the present one.
            known_by: a time; of what was imported, only what its first recorder knew by then.
            happened_by: a time; only what is believed to have happened by then.

        Raises:
            Problem: 400, one of them cannot be read or lies in the future.
        """
        if not (as_of or known_by or happened_by):
            return None
        return Lens(
            position=await self.resolve(as_of) if as_of else self.position,
            known_by=self._past("as known elsewhere by", known_by) if known_by else None,
            happened_by=self._past("as happened by", happened_by) if happened_by else None,
        )

    async def resolve(self, as_of: str) -> int:
        """The log position that a text means: itself, or the last one recorded at or before an ISO 8601 time.

        Raises:
            Problem: 400, neither a position nor a time, or in the future.
        """
        if as_of.isascii() and as_of.isdigit() and len(as_of) < POSITION_DIGITS_MAX:
            position = int(as_of)
            if position > self.position:
                raise _future("as known at", as_of, f"the log ends at position {self.position}")
            return position
        moment = self._past("as known at", as_of, or_position=True)
        return await asyncio.to_thread(self.warehouse.position_at, moment)

    def _past(self, clock: str, text: str, *, or_position: bool = False) -> datetime:
        moment = parse_moment(text)
        if moment is None:
            raise Problem(
                400,
                f"{clock} {text[:100]!r} cannot be read",
                because=f"it is {'neither a log position nor' if or_position else 'not'} an ISO 8601 time",
                instead=f"Give {'a position such as 4711, or ' if or_position else ''}a time such as "
                "2026-03-01T14:05:00Z (UTC without an offset).",
            )
        if moment > self.now:
            raise _future(clock, text, f"it is {self.now:%Y-%m-%dT%H:%M:%SZ} now")
        return moment


def as_rows(table: Table) -> list[dict[str, Any]]:
    """The rows of a table, each by column name."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 time as a UTC moment; without an offset it is UTC. None when it is not a time."""
    try:
        # A plus sign that was not escaped in a query string arrives as a space.
        moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _future(clock: str, text: str, because: str) -> Problem:
    return Problem(
        400, f"{clock} {text} lies in the future", because=because, instead="Leave it out to see the present."
    )
