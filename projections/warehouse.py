"""The warehouse: a DuckDB file with a copy of the log and every projection of it.

One thread writes at a time; any number of threads ask at the same time, each on a cursor of its own with a snapshot of
its own, so no reader waits for the writer. The position up to which the log was copied is in the same transaction as
the copy and the projections: after a crash everything stands at one position, and applying goes on from there.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from events import RecountError, Stored
from projections.answer_file import FOR_FILES, Written, write_arrow
from projections.catalog import Catalog, Column, View, read_catalog
from projections.comments import DocumentedView, of_generated, of_projection
from projections.compare import Difference, differences, digest
from projections.definitions import (
    NEXT,
    change_over,
    compute_beside,
    define_anew,
    prepare,
)
from projections.diff import Diff, diff
from projections.gate import Gate
from projections.lens import AsOf, show_as_of
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
from projections.refresh import Refresher
from projections.schema import PEOPLE_DATABASE
from projections.statement import first_line, read_select
from projections.storage import (
    IN_MEMORY,
    Progress,
    UnusableWarehouse,
    add_to_log,
    compute_all,
    connect,
    transaction,
)
from projections.stream import Shape, Stream, describe, shaped

logger = logging.getLogger("recount.projections")

# More queries of people at once would only slow each other, and the projector, on two cores.
PEOPLE_AT_ONCE = 4
# Longer than any page of the web takes; a person's SQL that runs on is cut off.
CLOSE_PATIENCE_S = 2.0


class LogGap(RecountError):
    """A batch does not continue where the warehouse stands."""

    hint = "Read the log again from the warehouse's position; `recount rebuild` starts over."


class Warehouse:
    """A copy of the log with its projections. Open it with `Warehouse.open`."""

    def __init__(self, path: Path, *, threads: int, memory_limit: str, catalog: Catalog | None, complete: bool) -> None:
        self.path = path
        self._threads = threads
        self._memory_limit = memory_limit
        self._complete = complete
        self._newest = catalog or read_catalog()
        # Those that everything answers and follows the log by: until `upgrade` is done, of the version before.
        self._catalog = self._newest
        self._outdated: frozenset[str] = frozenset()
        self._gate = Gate()
        self._asking: set[duckdb.DuckDBPyConnection | Stream] = set()
        self._writing = threading.Lock()
        self._people_asking = threading.BoundedSemaphore(PEOPLE_AT_ONCE)
        self._root: duckdb.DuckDBPyConnection
        self._writer: duckdb.DuckDBPyConnection
        self._refresher: Refresher
        self._position: int
        self._projected: int
        self._connect()

    @classmethod
    def open(
        cls,
        path: Path | str = IN_MEMORY,
        *,
        threads: int = 2,
        memory_limit: str = "2GB",
        catalog: Catalog | None = None,
        complete: bool = True,
    ) -> "Warehouse":
        """Open a warehouse, or begin an empty one. One of a version with other definitions answers by those until
        `upgrade` is called.

        Args:
            path: the file; without one the warehouse lives in memory.
            threads: how many threads the engine may use.
            memory_limit: how much memory all questions and the writer may use together, such as ``2GB``.
            catalog: the definitions; those of this program when left out.
            complete: compute the projections of what was only loaded. Not wanted by who goes on loading.

        Raises:
            UnusableWarehouse: the file is damaged or of another version.
            WarehouseInUse: another process has it open.
        """
        return cls(Path(path), threads=threads, memory_limit=memory_limit, catalog=catalog, complete=complete)

    def close(self) -> None:
        """Stop. What is being asked may finish within `CLOSE_PATIENCE_S`."""
        with self._writing, self._gate.alone(patience_s=CLOSE_PATIENCE_S, hurry=self._interrupt):
            self._disconnect()

    def swap_in(self, path: Path) -> None:
        """Take the place of this warehouse's file with another one, which is closed and complete.

        Questions wait meanwhile, some tens of milliseconds; those that run may finish within `CLOSE_PATIENCE_S`.
        """
        with self._writing, self._gate.alone(patience_s=CLOSE_PATIENCE_S, hurry=self._interrupt):
            self._disconnect()
            path.replace(self.path)
            self._connect()

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def position(self) -> int:
        """Position of the last event applied, 0 when there is none."""
        return self._position

    @property
    def outdated(self) -> frozenset[str]:
        """The projections that `upgrade` must compute; while there are any, everything has its former definition."""
        return self._outdated

    def views(self) -> list[View]:
        """Every projection with its sentence, grain, key, columns and SQL."""
        return list(self._catalog.views)

    def documented_views(self, *, typed: bool) -> list[DocumentedView]:
        """Every projection with what its columns mean, by name; with ``typed``, those generated from the facts, too."""
        with self._reading() as cursor:
            generated = of_generated(self._catalog, cursor) if typed else []
        return sorted([*map(of_projection, self._catalog.views), *generated], key=lambda view: view.name)

    def apply(self, batch: Sequence[Stored]) -> None:
        """Add events and refresh what they change, in one transaction.

        Events at or before the present position are ignored, so a batch may be given twice.

        Raises:
            LogGap: the batch starts after the next position, or leaves one out.
            UnusableWarehouse: the engine found its file damaged and will do nothing more with it.
        """
        with self._writing, self._damage_is_told():
            fresh = self._continuing(batch)
            if not fresh:
                return
            if self._projected != self._position:
                self._compute_all()
            with transaction(self._writer):
                self._refresher.follow(add_to_log(self._writer, fresh))
                self._writer.execute(
                    "update warehouse_state set position = ?, projected_position = ?", [fresh[-1].seq] * 2
                )
            self._position = self._projected = fresh[-1].seq

    def load(self, batch: Sequence[Stored]) -> None:
        """Add events without refreshing anything, to fill a warehouse fast. Call `rebuild` afterwards; until then the
        projections stand where they stood.

        Raises:
            LogGap: as in `apply`.
        """
        with self._writing:
            fresh = self._continuing(batch)
            if not fresh:
                return
            with transaction(self._writer):
                add_to_log(self._writer, fresh)
                self._writer.execute("update warehouse_state set position = ?", [fresh[-1].seq])
            self._position = fresh[-1].seq

    def rebuild(self, progress: Progress | None = None) -> None:
        """Compute every stored projection anew from the whole log, in one transaction.

        Args:
            progress: told after each projection how many are done, of how many.
        """
        with self._writing:
            self._compute_all(progress)

    def upgrade(self, progress: Progress = lambda _done, _total: None) -> None:
        """Compute what is `outdated` beside the tables that answer, then change over in one transaction.

        Readers and the writer go on meanwhile; the writer waits for the change itself, which costs what was applied
        since the computing began.

        Args:
            progress: told after each projection how many are done, of how many.
        """
        names = self._outdated
        if not names:
            return
        try:
            with self._reading() as cursor:
                position = compute_beside(cursor, self._newest, names, progress)
        except duckdb.InterruptException:
            return  # it is being closed; the next opening finds the same to do
        with self._writing:
            if not self._outdated:
                self._drop_unused(names)  # a rebuild was faster, or another file took the place of this one
                return
            with self._root.cursor() as cursor, transaction(cursor):
                change_over(cursor, self._newest, names, position)
            self._answer_by_newest()

    def set_people(self, rows: Sequence[tuple[str, str | None, str | None, str | None, bool]]) -> None:
        """Replace the rows of ``people``: (person_id, handle, name, zone, erased) each.

        They are kept in memory only, so that no file holds a name after it was erased: after `open` and `swap_in` there
        are none until they are set again.
        """
        table = f"{PEOPLE_DATABASE}.main.people"
        with self._writing, transaction(self._writer):
            self._writer.execute(f"delete from {table}")
            if rows:
                self._writer.executemany(f"insert into {table} values (?, ?, ?, ?, ?)", [list(row) for row in rows])

    def ask(self, sql: str, params: Parameters = (), *, as_of: AsOf = None, limits: Limits = TRUSTED) -> Table:
        """Answer a question of Recount's own code.

        Args:
            sql: one SELECT, with ``?`` or ``$name`` for each parameter.
            params: the values of the parameters.
            as_of: a log position, or a lens, to answer through instead of the present.
            limits: what it may cost.

        Raises:
            QueryRefused: it took longer than it may.
        """
        with self._reading() as cursor:
            if as_of is not None:
                show_as_of(cursor, self._catalog, as_of, read_select(cursor, sql).tables)
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
            if as_of is not None:
                show_as_of(cursor, self._catalog, as_of, select.tables)

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
            if as_of is not None:
                show_as_of(cursor, self._catalog, as_of, frozenset(view.name for view in self._catalog.views))
            return {view.name: digest(cursor, view) for view in self._catalog.views}

    def _connect(self) -> None:
        self._root = connect(self.path, threads=self._threads, memory_limit=self._memory_limit)
        try:
            with self._root.cursor() as setup, transaction(setup):
                standing = prepare(setup, self._newest, complete=self._complete)
            self._position, self._projected = standing.position, standing.projected
            self._catalog, self._outdated = standing.catalog, standing.outdated
            self._writer = self._root.cursor()
            self._refresher = Refresher(self._writer, self._catalog)
        except (duckdb.Error, UnusableWarehouse) as error:
            self._root.close()
            raise UnusableWarehouse(f"{self.path} cannot be used: {first_line(error)}") from error
        except BaseException:
            self._root.close()
            raise

    def _disconnect(self) -> None:
        self._outdated = frozenset()
        # A damaged database refuses even this.
        with suppress(duckdb.Error):
            self._writer.close()
            self._root.close()

    @contextmanager
    def _damage_is_told(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException) as error:
            raise UnusableWarehouse(f"{self.path} is damaged: {first_line(error)}") from error

    def _interrupt(self) -> None:
        for cursor in list(self._asking):
            cursor.interrupt()

    def _answer_by_newest(self) -> None:
        self._catalog, self._outdated = self._newest, frozenset()
        self._writer.close()
        self._writer = self._root.cursor()
        self._refresher = Refresher(self._writer, self._catalog)

    def _drop_unused(self, names: frozenset[str]) -> None:
        with suppress(duckdb.Error), self._root.cursor() as cursor:
            for name in names:
                cursor.execute(f'drop table if exists "{NEXT}{name}"')

    def _compute_all(self, progress: Progress | None = None) -> None:
        # Not on the writer's connection, which sees a slice as the log.
        with self._root.cursor() as cursor, transaction(cursor):
            if self._outdated:
                define_anew(cursor, self._newest)
            compute_all(cursor, self._newest, progress)
        self._projected = self._position
        if self._outdated:
            self._answer_by_newest()

    def _continuing(self, batch: Sequence[Stored]) -> Sequence[Stored]:
        fresh = [stored for stored in batch if stored.seq > self._position]
        for expected, stored in enumerate(fresh, self._position + 1):
            if stored.seq != expected:
                raise LogGap(f"the batch goes on at position {stored.seq}; the warehouse needs {expected} next")
        return fresh

    @contextmanager
    def _asking_for_people(self, sql: str, as_of: AsOf, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._people_asking.acquire(timeout=limits.seconds):
            raise QueryRefused("too many queries are running", hint="Try again in a moment.")
        try:
            with self._reading() as cursor:
                select = check(cursor, sql)
                if as_of is not None:
                    show_as_of(cursor, self._catalog, as_of, select.tables)
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
