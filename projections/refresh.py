"""The lens *touched*: after a batch, the same SELECTs run over a small slice of the log and replace the rows that the
batch can have changed.

For each stored projection that reads a type in the batch:

1. its *owners* are the streams whose rows may change: those that the batch touched, and those linked with them;
2. it *needs* the events of its owners and of every stream linked with an owner, of the types it reads;
3. the SELECT runs over those events, and its rows for the owners replace the stored ones.

Links are those of the view ``links``, and they are only ever added, so the links after a batch hold those before it.
One step along them is enough because a projection joins only streams that are linked directly. A fixpoint would be
wrong here: an alert that comes back for years joins incidents that have nothing else in common, and following every
path soon holds half the log.
"""

from collections import defaultdict
from collections.abc import Iterable

import duckdb

from projections import links
from projections.catalog import Catalog, View
from projections.fact_columns import json_shape
from projections.lens import base, main_schema
from projections.log_tables import ROW_COLUMNS, category_table

Touched = frozenset[tuple[str, str]]
"""Streams and the types that a batch added to each."""


class Refresher:
    """Keeps the stored projections of one warehouse up to date, on the writer's connection.

    That connection sees the slice as the tables of the log, and each projection that it has computed from the slice in
    place of the stored one; so a projection that reads another finds what belongs to the same slice.
    """

    def __init__(self, writer: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._tables = {view.name: base(writer, view.name) for view in catalog.stored}
        self._main = main_schema(writer)

    def follow(self, touched: Touched, *, after: int) -> None:
        """Refresh what a batch changed. Within the caller's transaction, after the batch was added to the log.

        Args:
            touched: the streams and types that the batch holds, or of which it takes an event back.
            after: the position before the batch.
        """
        types = {its_type for _stream, its_type in touched}
        due = [view for view in self._catalog.stored if not types.isdisjoint(view.reads)]
        for view in due:
            if view.refresh == "event":
                for category in view.categories:
                    table = category_table(category)
                    self._see(table, f"select * from {self._main}.{table} where seq > {after:d}")
                self._writer.execute(f"insert into {self._tables[view.name]} by name {view.sql}")
        folds = [view for view in due if view.refresh != "event"]
        if folds:
            self._refresh(folds, touched)

    def _refresh(self, folds: list[View], touched: Touched) -> None:
        near = self._linked({stream for stream, _type in touched})
        owners = {view.name: _owners(view, touched, near) for view in folds}
        around = self._linked(set().union(*owners.values()))
        self._take_slice(folds, _needs(folds, owners, around))
        for view in self._with_what_they_read(folds):
            if view in folds:
                self._see(view.name, view.sql)
                self._replace(view, owners[view.name])
            else:
                # The batch did not change it, so its rows stand as they are.
                ids = sorted({_id(stream) for view in folds for stream in owners[view.name]})
                self._see(
                    view.name,
                    f'from {self._tables[view.name]} where "{view.key[0]}" in (select unnest(?::varchar[]))',
                    ids,
                )

    def _linked(self, streams: set[str]) -> dict[str, set[str]]:
        """The streams that each of some streams is linked with directly."""
        found: dict[str, set[str]] = defaultdict(set)
        table = self._tables[links.NAME]
        rows = self._writer.execute(
            f"select stream, other from {table} where stream in (select unnest($1::varchar[])) "
            f"union all select other, stream from {table} where other in (select unnest($1::varchar[]))",
            [sorted(streams)],
        ).fetchall()
        for stream, other in rows:
            found[stream].add(other)
        for stream in streams:
            category, _, identifier = stream.partition(".")
            if category in links.STREAMS_OF_ONE_ID:
                found[stream] |= {f"{each}.{identifier}" for each in links.STREAMS_OF_ONE_ID} - {stream}
        return found

    def _take_slice(self, folds: list[View], needs: dict[str, set[str]]) -> None:
        """Have each table of the log that is read hold what is needed, or nothing."""
        for category in sorted(set().union(*(view.categories for view in folds))):
            table = category_table(category)
            ids = [_id(stream) for stream in needs if _category(stream) == category]
            types = set().union(*(its for stream, its in needs.items() if _category(stream) == category))
            # The fields of facts are read anew from the raw data: the rows of one stream lie scattered over the table,
            # and fetching them in many columns takes several times longer than in few.
            self._see(
                table,
                f"select {', '.join(ROW_COLUMNS)}, retracted_by_seq, "
                f"json_transform(data, {json_shape(category)}) as fact from {self._main}.{table} "
                "where stream_id in (select unnest($1::varchar[])) and type in (select unnest($2::varchar[]))",
                ids,
                sorted(types),
            )

    def _with_what_they_read(self, folds: list[View]) -> list[View]:
        """The projections with every other stored one that they read, each after what it reads."""
        wanted = {view.name for view in folds}
        for view in reversed(self._catalog.views):
            # What is not due itself is taken as it is stored, and nothing under it is needed.
            if view in folds:
                wanted |= view.uses
        return [view for view in self._catalog.stored if view.name in wanted and view.refresh != "event"]

    def _replace(self, view: View, owners: set[str]) -> None:
        table, key = self._tables[view.name], f'"{view.key[0]}"'
        ids = [sorted(_id(stream) for stream in owners)]
        self._writer.execute(f"delete from {table} where {key} in (select unnest(?::varchar[]))", ids)
        self._writer.execute(
            f'insert into {table} by name select * from "{view.name}" where {key} in (select unnest(?::varchar[]))', ids
        )

    def _see(self, name: str, sql: str, *params: list[str] | list[list[str]]) -> None:
        self._writer.execute(f'create or replace temp table "{name}" as {sql}', list(params))


def _owners(view: View, touched: Touched, near: dict[str, set[str]]) -> set[str]:
    """The streams whose rows in a projection may have changed."""
    sources = {stream for stream, its_type in touched if its_type in view.reads}
    candidates = sources.union(*(near.get(stream, ()) for stream in sources))
    return {stream for stream in candidates if _category(stream) == view.owner}


def _needs(folds: list[View], owners: dict[str, set[str]], around: dict[str, set[str]]) -> dict[str, set[str]]:
    """Which types of which streams the projections need."""
    needs: dict[str, set[str]] = defaultdict(set)
    for view in folds:
        by_category = _by_category(view.reads)
        for owner in owners[view.name]:
            for stream in (owner, *around.get(owner, ())):
                needs[stream] |= by_category.get(_category(stream), frozenset())
    return {stream: types for stream, types in needs.items() if types}


def _by_category(types: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for its_type in types:
        found[its_type.partition(".")[0]].add(its_type)
    return found


def _category(stream: str) -> str:
    return stream.partition(".")[0]


def _id(stream: str) -> str:
    return stream.partition(".")[2]
