"""Asking a warehouse: everything that reads it, each question on a cursor and with a snapshot of its own."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from projections.about import show_about
from projections.answer_file import FOR_FILES, Written, write_arrow
from projections.catalog import Catalog, Column, View
from projections.change import Diff
from projections.comments import DocumentedView, of_generated, of_projection
from projections.compare import Difference, differences, digest
from projections.diff import diff
from projections.gate import Gate
from projections.lens import AsOf
from projections.past import show_past
from projections.query import (
    FOR_BI,
    FOR_PEOPLE,
    TRUSTED,
    Limits,
    Parameters,
    QueryRefused,
    Table,
    check,
    run,
    run_guarded,
)
from projections.statement import read_select
from projections.storage import transaction
from projections.stream import Shape, Stream, describe, shaped

# More queries of people at once would only slow each other, and the projector, on two cores.
PEOPLE_AT_ONCE = 4


class Answering:
    """What a `projections.warehouse.Warehouse` answers, whoever writes meanwhile.

    Args:
        catalog: the definitions that it answers by.
    """

    _root: duckdb.DuckDBPyConnection

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._gate = Gate()
        self._asking: set[duckdb.DuckDBPyConnection | Stream] = set()
        self._people_asking = threading.BoundedSemaphore(PEOPLE_AT_ONCE)

    def views(self) -> list[View]:
        """Every projection with its sentence, grain, key, columns and SQL."""
        return list(self._catalog.views)

    def documented_views(self, *, typed: bool) -> list[DocumentedView]:
        """Every projection with what its columns mean, by name; with ``typed``, those generated from the facts, too."""
        with self._reading() as cursor:
            generated = of_generated(self._catalog, cursor) if typed else []
        return sorted([*map(of_projection, self._catalog.views), *generated], key=lambda view: view.name)

    def ask(
        self, sql: str, params: Parameters = (), *, as_of: AsOf = None, about: str = "", limits: Limits = TRUSTED
    ) -> Table:
        """Answer a question of Recount's own code.

        Args:
            sql: one SELECT, with ``?`` or ``$name`` for each parameter.
            params: the values of the parameters.
            as_of: a log position, or a lens, to answer through instead of the present.
            about: the stream whose rows the question wants, such as ``incident.INC-42``; nothing else of the log is
                read (`projections.about`).
            limits: what it may cost.

        Raises:
            QueryRefused: it took longer than it may.
        """
        with self._reading() as cursor:
            if about:
                show_about(cursor, self._catalog, as_of, read_select(cursor, sql).tables, about)
            else:
                self._look_through(cursor, as_of, read_select(cursor, sql).tables)
            return run(cursor, sql, params, limits)

    def ask_sandboxed(self, sql: str, *, as_of: AsOf = None, limits: Limits = FOR_PEOPLE) -> Table:
        """Answer SQL written by a person: one SELECT that can change nothing and reach nothing but the views.

        Raises:
            QueryRefused: it is not allowed, wrong, or too expensive; says why and what to do.
        """
        with self._asking_for_people(sql, as_of, limits) as cursor:
            return run_guarded(cursor, sql, limits)

    def write_sandboxed(self, sql: str, path: Path, *, as_of: AsOf = None, limits: Limits = FOR_FILES) -> Written:
        """Answer SQL written by a person, as `ask_sandboxed` does, into a file: an Arrow IPC stream.

        Raises:
            QueryRefused: it is not allowed, wrong, or too expensive; says why and what to do.
        """
        with self._asking_for_people(sql, as_of, limits) as cursor:
            return write_arrow(cursor, sql, limits, path)

    def stream_sandboxed(
        self, sql: str, params: Sequence[Any] = (), *, shape: Shape = (), as_of: AsOf = None
    ) -> Stream:
        """Answer SQL written by a person, as `ask_sandboxed` does, in portions. Nothing happens before `Stream.open`.

        Args:
            sql: one SELECT.
            params: values for ``$1``, ``$2``, …
            shape: how the columns are given (`projections.stream`); as they are when left out.
            as_of: as in `ask`.
        """

        def prepare(cursor: duckdb.DuckDBPyConnection) -> None:
            select = check(cursor, sql)
            self._look_through(cursor, as_of, select.tables)

        return Stream(self._reading, prepare, shaped(sql, shape), params, FOR_BI)

    def describe_sandboxed(self, sql: str, parameters: int = 0) -> tuple[Column, ...]:
        """The columns of SQL written by a person, which is not run; ``parameters``: how many it has.

        Raises:
            QueryRefused: it is not allowed or wrong.
        """
        with self._reading() as cursor:
            check(cursor, sql)
            return describe(cursor, sql, parameters)

    def diff(self, before: AsOf, after: AsOf, *, views: Sequence[str] = (), incident_id: str = "") -> Diff:
        """What two lenses show differently, row by row, and which events caused it (`projections.diff`).

        Raises:
            UnknownView: there is none of that name.
            QueryRefused: it took longer than it may.
        """
        with self._reading() as cursor:
            return diff(cursor, self._catalog, before, after, views=views, incident_id=incident_id)

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before a moment, 0 when there is none.

        ``recorded_at`` may step back, so every question about a time goes through one position.
        """
        naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        table = self.ask("select coalesce(max(seq), 0) from log_rows where recorded_at <= ?", [naive])
        return int(table.rows[0][0])

    def verify_views(self) -> list[Difference]:
        """Compute every stored projection beside its table and name each row that differs."""
        with self._reading() as cursor:
            return differences(cursor, self._catalog)

    def digests(self, *, as_of: AsOf = None) -> dict[str, str]:
        """A digest of each view's rows, whatever their order: equal digests mean equal rows."""
        with self._reading() as cursor:
            self._look_through(cursor, as_of, frozenset(view.name for view in self._catalog.views))
            return {view.name: digest(cursor, view) for view in self._catalog.views}

    def _interrupt(self) -> None:
        for cursor in list(self._asking):
            cursor.interrupt()

    def _look_through(self, cursor: duckdb.DuckDBPyConnection, as_of: AsOf, asked: frozenset[str]) -> None:
        if as_of is not None:
            with transaction(cursor):
                show_past(cursor, self._catalog, as_of, asked)

    @contextmanager
    def _asking_for_people(self, sql: str, as_of: AsOf, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._people_asking.acquire(timeout=limits.seconds):
            raise QueryRefused("too many queries are running", hint="Try again in a moment.")
        try:
            with self._reading() as cursor:
                select = check(cursor, sql)
                self._look_through(cursor, as_of, select.tables)
                yield cursor
        finally:
            self._people_asking.release()

    @contextmanager
    def _reading(self, asker: Stream | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._gate.together(), self._root.cursor() as cursor:
            interrupted = asker or cursor
            self._asking.add(interrupted)
            try:
                yield cursor
            finally:
                self._asking.discard(interrupted)
