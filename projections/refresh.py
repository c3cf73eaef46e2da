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

from collections.abc import Iterable

import duckdb

from projections import links
from projections.catalog import Catalog, View
from projections.lens import base


class Refresher:
    """Keeps the stored projections of one warehouse up to date, on the writer's connection.

    That connection sees the slice as ``log_rows``, and each projection that it has computed from the slice in place of
    the stored one; so a projection that reads another finds what belongs to the same slice.
    """

    def __init__(self, writer: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._tables = {view.name: base(writer, view.name) for view in catalog.stored}
        self._rows = base(writer, "log_rows")
        self._follow = _FOLLOW.format(
            links=self._tables[links.NAME],
            same_id=", ".join(f"('{category}')" for category in links.STREAMS_OF_ONE_ID),
            same_ids=_texts(links.STREAMS_OF_ONE_ID),
        )

    def follow(self, types: frozenset[str]) -> None:
        """Refresh what a batch changed. Within the caller's transaction, after the batch was added to the log.

        The batch is the temporary table ``batch``, in the shape of ``log_rows``.

        Args:
            types: tags of the facts in the batch.
        """
        due = [view for view in self._catalog.stored if not types.isdisjoint(view.reads)]
        for view in due:
            if view.refresh == "event":
                self._see("log_rows", "from batch")
                self._writer.execute(f"insert into {self._tables[view.name]} by name {view.sql}")
        folds = [view for view in due if view.refresh != "event"]
        if not folds:
            return
        self._take_slice(folds)
        for view in self._with_what_they_read(folds):
            self._see(view.name, view.sql)
            if view in folds:
                self._replace(view)

    def _take_slice(self, folds: list[View]) -> None:
        self._see("touched", "select distinct stream, category, type from batch")
        self._see("here", "select distinct stream from touched")
        self._see("near", self._follow)
        self._see("owners", " union all ".join(_OWNERS.format(view=view, types=_texts(view.reads)) for view in folds))
        self._see("here", "select distinct stream from owners")
        self._see("around", self._follow)
        types = frozenset[str]().union(*(view.reads for view in folds))
        self._see(
            "log_rows",
            # Nothing that is stored reads the raw data.
            f"select * exclude (data) from {self._rows} "
            "where stream in (select stream from here union select linked from around) "
            f"and type in {_texts(types)}",
        )

    def _with_what_they_read(self, folds: list[View]) -> list[View]:
        """The projections with every other stored one that they read, each after what it reads."""
        wanted = {view.name for view in folds}
        for view in reversed(self._catalog.views):
            if view.name in wanted:
                wanted |= view.uses
        return [view for view in self._catalog.stored if view.name in wanted and view.refresh != "event"]

    def _replace(self, view: View) -> None:
        table, key = self._tables[view.name], view.key[0]
        ids = f"(select split_part(stream, '.', 2) from owners where projection = '{view.name}')"
        self._writer.execute(f'delete from {table} where "{key}" in {ids}')
        self._writer.execute(f'insert into {table} by name select * from "{view.name}" where "{key}" in {ids}')

    def _see(self, name: str, sql: str) -> None:
        self._writer.execute(f'create or replace temp table "{name}" as {sql}')


# Every stream linked with one of those in the table ``here``.
_FOLLOW = """
select here.stream, links.other as linked, links.other_category as linked_category
from here join {links} as links on links.stream = here.stream
union all
select here.stream, links.stream, links.category
from here join {links} as links on links.other = here.stream
union all
select here.stream, category || '.' || split_part(here.stream, '.', 2), category
from here cross join (values {same_id}) as same_id(category)
where split_part(here.stream, '.', 1) in {same_ids}
"""

# The streams whose rows in one projection may have changed: touched by a type that it reads, or linked with such.
_OWNERS = """
select '{view.name}' as projection, stream
from touched
where category = '{view.owner}' and type in {types}
union
select '{view.name}', near.linked
from near join touched using (stream)
where near.linked_category = '{view.owner}' and touched.type in {types}
"""


def _texts(values: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in sorted(values)) + ")"
