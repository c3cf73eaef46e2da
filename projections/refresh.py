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

import duckdb

from projections import links
from projections.catalog import Catalog, View
from projections.lens import base, beneath, main_schema
from projections.log_tables import category_table
from projections.narrow import narrowed
from projections.slice import category_of, id_of, linked, listed, needs_of, rows_needed

Touched = frozenset[tuple[str, str]]
"""Streams and the types that a batch added to each."""


class Refresher:
    """Keeps the stored projections of one warehouse up to date, on the writer's connection.

    That connection sees the slice as the typed views, in only those columns that the projections name
    (`projections.narrow`), and each projection that it has computed from the slice in place of the stored one; so a
    projection that reads another finds what belongs to the same slice. Each SELECT is a view there, read once: what a
    batch costs is mostly parsing and planning.
    """

    def __init__(self, writer: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._tables = {view.name: base(writer, view.name) for view in catalog.stored}
        self._main = main_schema(writer)
        folds = [view for view in catalog.stored if view.refresh != "event"]
        self._read_by_others = frozenset[str]().union(*(view.uses for view in folds))
        facts = narrowed(catalog, beneath(catalog, frozenset(view.name for view in folds)))
        assert facts is not None, "a stored projection reads no view over the whole log"
        self._facts = facts
        categories = sorted({category for view in folds for category in view.categories})
        facts.show(writer, {each: f"from {self._main}.{category_table(each)} limit 0" for each in categories})
        for view in folds:
            writer.execute(f'create or replace temp view "{_fold(view)}" as {view.sql}')

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
                tables = [category_table(category) for category in sorted(view.categories)]
                new = ", ".join(f"{each} as (from {self._main}.{each} where seq > {after:d})" for each in tables)
                self._writer.execute(f"insert into {self._tables[view.name]} by name with {new} from ({view.sql})")
        folds = [view for view in due if view.refresh != "event"]
        if folds:
            self._refresh(folds, touched)

    def _refresh(self, folds: list[View], touched: Touched) -> None:
        near = linked(self._writer, self._tables[links.NAME], {stream for stream, _type in touched})
        owners = {view.name: _owners(view, touched, near) for view in folds}
        around = linked(self._writer, self._tables[links.NAME], set().union(*owners.values()))
        needs = needs_of(folds, owners, around)
        categories = sorted({category for view in folds for category in view.categories})
        tables = {category: category_table(category) for category in categories}
        self._facts.fill(
            self._writer,
            {category: rows_needed(needs, table, f"{self._main}.{table}") for category, table in tables.items()},
        )
        for view in self._with_what_they_read(folds):
            if view not in folds:
                # The batch did not change it, so its rows stand as they are.
                ids = listed({id_of(stream) for fold in folds for stream in owners[fold.name]})
                self._see(view, f'from {self._tables[view.name]} where "{view.key[0]}" in ({ids})')
            elif view.name in self._read_by_others:
                self._see(view, f'from "{_fold(view)}"')
                self._replace(view, f'"{view.name}"', owners[view.name])
            else:
                self._replace(view, f'"{_fold(view)}"', owners[view.name])

    def _with_what_they_read(self, folds: list[View]) -> list[View]:
        """The projections with every other stored one that they read, each after what it reads."""
        wanted = {view.name for view in folds}
        for view in reversed(self._catalog.views):
            # What is not due itself is taken as it is stored, and nothing under it is needed.
            if view in folds:
                wanted |= view.uses
        return [view for view in self._catalog.stored if view.name in wanted and view.refresh != "event"]

    def _replace(self, view: View, computed: str, owners: set[str]) -> None:
        table, theirs = self._tables[view.name], f'"{view.key[0]}" in ({listed(map(id_of, owners))})'
        self._writer.execute(f"delete from {table} where {theirs}")
        self._writer.execute(f"insert into {table} by name from {computed} where {theirs}")

    def _see(self, view: View, sql: str) -> None:
        self._writer.execute(f'create or replace temp table "{view.name}" as {sql}')


def _fold(view: View) -> str:
    """The name of the view on the writer's connection that is a projection's SELECT."""
    return f"{view.name}_from_slice"


def _owners(view: View, touched: Touched, near: dict[str, set[str]]) -> set[str]:
    """The streams whose rows in a projection may have changed."""
    sources = {stream for stream, its_type in touched if its_type in view.reads}
    candidates = sources.union(*(near.get(stream, ()) for stream in sources))
    return {stream for stream in candidates if category_of(stream) == view.owner}
