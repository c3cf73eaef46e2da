"""The warehouse: a DuckDB file with a copy of the log and every projection of it.

One thread writes at a time; any number of threads ask at the same time, each on a cursor of its own with a snapshot of
its own, so no reader waits for the writer. The position up to which the log was copied is in the same transaction as
the copy and the projections: after a crash everything stands at one position, and applying goes on from there.
"""

import logging
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import duckdb

from events import RecountError, Stored
from events.stretch import POSITIONS, Stretch
from projections.answering import Answering
from projections.catalog import Catalog, read_catalog
from projections.definitions import (
    NEXT,
    change_over,
    compute_beside,
    define_anew,
    prepare,
)
from projections.files import beside, remove
from projections.lens import main_schema
from projections.log_tables import take_in, take_in_many
from projections.raw import raw_events
from projections.refresh import Refresher
from projections.schema import PEOPLE_DATABASE
from projections.snapshot import SnapshotInfo, write_snapshot
from projections.statement import first_line
from projections.storage import (
    IN_MEMORY,
    Progress,
    UnusableWarehouse,
    compute_all,
    connect,
    is_damage,
    transaction,
)

logger = logging.getLogger("recount.projections")

# Longer than any page of the web takes; a person's SQL that runs on is cut off.
CLOSE_PATIENCE_S = 2.0


class LogGap(RecountError):
    """A batch does not continue where the warehouse stands."""

    hint = "Read the log again from the warehouse's position; `recount rebuild` starts over."


class Warehouse(Answering):
    """A copy of the log with its projections. Open it with `Warehouse.open`."""

    def __init__(self, path: Path, *, threads: int, memory_limit: str, catalog: Catalog | None, complete: bool) -> None:
        newest = catalog or read_catalog()
        super().__init__(newest)
        self.path = path
        self._threads = threads
        self._memory_limit = memory_limit
        self._complete = complete
        self._newest = newest
        self._outdated: frozenset[str] = frozenset()
        self._writing = threading.Lock()
        self._snapping = threading.Lock()
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
            # A damaged database leaves them behind, and they would be taken for those of the new one.
            remove(beside(self.path))
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
            last = fresh[-1].seqs[-1]
            with raw_events(self._writer, fresh), transaction(self._writer):
                touched = take_in(self._writer, main_schema(self._writer))
                self._refresher.follow(touched, after=self._position)
                self._writer.execute("update warehouse_state set position = ?, projected_position = ?", [last, last])
            self._position = self._projected = last

    def load(self, *batches: Sequence[Stored]) -> None:
        """Add events without refreshing anything, to fill a warehouse fast. Call `rebuild` afterwards; until then the
        projections stand where they stood.

        Args:
            batches: the events that come next, in one transaction: a million at once is faster than a thousand a
                thousand times, and lies better for whoever asks.

        Raises:
            LogGap: as in `apply`.
        """
        with self._writing:
            fresh = self._continuing(*batches)
            if not fresh:
                return
            last = fresh[-1].seqs[-1]
            with raw_events(self._writer, fresh), transaction(self._writer):
                take_in_many(self._writer, main_schema(self._writer))
                self._writer.execute("update warehouse_state set position = ?", [last])
            self._position = last

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

    def write_snapshot(self, *, names: bool, moment: datetime) -> SnapshotInfo:
        """Write the file beside this one that any DuckDB tool can open (`projections.snapshot`). Nobody waits for it.

        Args:
            names: whether handles and names of people go in.
            moment: the present time.

        Raises:
            SnapshotRefused: there is no room, or it cannot be written.
        """
        with self._snapping, self._reading() as cursor:
            return write_snapshot(cursor, self._catalog, self.path, names=names, moment=moment)

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
        except duckdb.Error as error:
            if not is_damage(error):
                raise
            raise UnusableWarehouse(f"{self.path} is damaged: {first_line(error)}") from error

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

    def _continuing(self, *batches: Sequence[Stored]) -> list[Stretch]:
        """What of some batches is not there yet."""
        fresh = [new for batch in batches if (new := Stretch.of(batch).after(self._position))]
        expected = self._position + 1
        for stretch in fresh:
            due = range(expected, expected + len(stretch))
            if stretch.seqs != array(POSITIONS, due):
                found, missing = next(pair for pair in zip(stretch.seqs, due, strict=True) if pair[0] != pair[1])
                raise LogGap(f"the batch goes on at position {found}; the warehouse needs {missing} next")
            expected = due.stop
        return fresh
