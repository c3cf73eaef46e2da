"""An answer that is taken in portions, so that no more of it is in memory than its reader keeps up with.

A stream holds a cursor with a snapshot of its own from `open` to `close`. Each method may be called from another
thread, one at a time; `interrupt` at any time from any.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any

import duckdb

from projections.catalog import Column
from projections.query import Limits, QueryRefused, refusals

Shape = Sequence[str]
"""How the columns of an answer are given: an expression over ``c0``, ``c1``, … for each; none: as they are."""

Enter = Callable[["Stream"], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Gives a cursor for as long as the context lasts; what gives it may interrupt the stream."""


class Stream:
    """Rows of one SELECT.

    Args:
        enter: where the cursor comes from.
        prepare: called with the cursor before the transaction begins: checks, and sets the lens.
        sql: the SELECT.
        params: values for ``$1``, ``$2``, …
        limits: how many rows it may give. How long it may take is the caller's to watch: `interrupt` ends it.
    """

    def __init__(
        self,
        enter: Enter,
        prepare: Callable[[duckdb.DuckDBPyConnection], None],
        sql: str,
        params: Sequence[Any],
        limits: Limits,
    ) -> None:
        self._enter = enter
        self._prepare = prepare
        self._sql = sql
        self._params = params
        self._limits = limits
        self._busy = threading.Lock()
        self._stopped = False
        self._held = ExitStack()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._rows = 0
        self._bytes = 0

    def open(self) -> None:
        """Begin to answer.

        Raises:
            QueryRefused: the SQL is wrong or not allowed, or the stream was interrupted.
        """
        with self._busy:
            try:
                self._refuse_if_stopped()
                self._cursor = cursor = self._held.enter_context(self._enter(self))
                self._prepare(cursor)
                cursor.execute("begin transaction read only")
                self._held.callback(_roll_back, cursor)
                self._refuse_if_stopped()
                with refusals(""):
                    cursor.execute(self._sql, self._params)
            except BaseException:
                self._release()
                raise

    def fetch(self, rows: int) -> list[tuple[Any, ...]]:
        """The next rows, at most so many; none means that there are no more.

        Raises:
            QueryRefused: there are more than the limits allow, or the stream was interrupted.
        """
        with self._busy:
            try:
                self._refuse_if_stopped()
                assert self._cursor is not None, "open the stream first"
                with refusals(""):
                    portion = self._cursor.fetchmany(rows)
                self._refuse_beyond_limits(portion)
            except BaseException:
                self._release()
                raise
            return portion

    def close(self) -> None:
        """Give the cursor back. May be called again, and before `open`."""
        with self._busy:
            self._release()

    def interrupt(self) -> None:
        """End it: what runs is cut off, and what comes after is refused.

        An interrupt between two steps of a query is forgotten, so whoever waits for the end calls this again.
        """
        self._stopped = True
        if self._busy.acquire(blocking=False):
            try:
                self._release()
            finally:
                self._busy.release()
        elif (cursor := self._cursor) is not None:
            with suppress(duckdb.Error):
                cursor.interrupt()

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise QueryRefused("the query was stopped", hint="Ask again in a moment.", kind="stopped")

    def _refuse_beyond_limits(self, portion: list[tuple[Any, ...]]) -> None:
        self._rows += len(portion)
        self._bytes += sum(len(cell) for row in portion for cell in row if isinstance(cell, str | bytes))
        if self._rows > self._limits.rows:
            message = f"the answer has more than {self._limits.rows:,} rows"
        elif self._bytes > self._limits.cells_bytes:
            message = f"the answer has more than {self._limits.cells_bytes >> 20:,} MiB"
        else:
            return
        raise QueryRefused(message, hint="Aggregate it, or narrow it with WHERE or LIMIT.", kind="too_big")

    def _release(self) -> None:
        self._cursor = None
        self._held.close()


def shaped(sql: str, shape: Shape) -> str:
    """A SELECT over one that was checked, which stands in parentheses and so stays whole."""
    if not shape:
        return sql
    names = ", ".join(f"c{number}" for number in range(len(shape)))
    return f"select {', '.join(shape)} from (\n{sql.rstrip().rstrip(';')}\n) as answer({names})"


def describe(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: int = 0) -> tuple[Column, ...]:
    """The columns of a SELECT that was checked.

    Raises:
        QueryRefused: it is wrong.
    """
    with refusals(sql, before=_DESCRIBE):
        described = cursor.execute(_DESCRIBE + sql.rstrip().rstrip(";"), [None] * parameters).fetchall()
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in described)


_DESCRIBE = "describe "


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    # An answer that was not taken to its end holds the connection.
    with suppress(duckdb.Error):
        cursor.abort()
    with suppress(duckdb.Error):
        cursor.rollback()
