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

from projections.catalog import Catalog, View
from projections.lens import base, shadow_stored

_FOLLOW = """
select {here}.stream, links.other as linked, links.other_category as linked_category
from {here} join {links} as links on links.stream = {here}.stream
union all
select {here}.stream, links.stream, links.category
from {here} join {links} as links on links.other = {here}.stream
union all
-- An escalation and a review carry the id of their incident.
select stream, category || '.' || split_part(stream, '.', 2), category
from {here} cross join (values ('incident'), ('escalation'), ('review')) as same_id(category)
where split_part(stream, '.', 1) in ('incident', 'escalation', 'review')
"""


class Refresher:
    """Keeps the stored projections of one warehouse up to date, on the writer's connection.

    That connection sees the slice as ``log`` and computes every stored projection from it.
    """

    def __init__(self, writer: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self._writer = writer
        self._catalog = catalog
        self._log = base(writer, "log")
        self._links = base(writer, "links")
        writer.execute(f"create or replace temp table log as select * from {self._log} limit 0")
        shadow_stored(writer, catalog)

    def follow(self, types: frozenset[str]) -> None:
        """Refresh what a batch changed. Within the caller's transaction, after the batch was added to the log.

        The batch is the temporary table ``batch``, in the shape of the log.

        Args:
            types: tags of the facts in the batch.
        """
        due = [view for view in self._catalog.stored if not types.isdisjoint(view.reads)]
        if not due:
            return
        self._writer.execute("create or replace temp table log as select * from batch")
        for view in due:
            if view.refresh == "event":
                self._writer.execute(f'insert into {base(self._writer, view.name)} by name select * from "{view.name}"')
        folds = [view for view in due if view.refresh != "event"]
        if folds:
            self._take_slice(folds)
            for view in folds:
                self._replace(view)

    def _take_slice(self, folds: list[View]) -> None:
        run = self._writer.execute
        run("create or replace temp table touched as select distinct stream, category, type from batch")
        run("create or replace temp table touched_streams as select distinct stream from touched")
        run(f"create or replace temp table near as {_FOLLOW.format(here='touched_streams', links=self._links)}")
        owners = " union all ".join(
            f"""
            select '{view.name}' as projection, stream from touched
            where category = '{view.owner}' and type in {_texts(view.reads)}
            union
            select '{view.name}', near.linked from near join touched using (stream)
            where near.linked_category = '{view.owner}' and touched.type in {_texts(view.reads)}
            """
            for view in folds
        )
        run(f"create or replace temp table owners as {owners}")
        run("create or replace temp table owner_streams as select distinct stream from owners")
        run(f"create or replace temp table around as {_FOLLOW.format(here='owner_streams', links=self._links)}")
        types = frozenset[str]().union(*(view.reads for view in folds))
        run(
            f"""
            create or replace temp table log as
            select * from {self._log}
            where stream in (select stream from owner_streams union select linked from around)
                and type in {_texts(types)}
            """
        )

    def _replace(self, view: View) -> None:
        table = base(self._writer, view.name)
        key = f'"{view.key[0]}"'
        ids = f"(select split_part(stream, '.', 2) from owners where projection = '{view.name}')"
        self._writer.execute(f"delete from {table} where {key} in {ids}")
        self._writer.execute(f'insert into {table} by name select * from "{view.name}" where {key} in {ids}')


def _texts(values: frozenset[str]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in sorted(values)) + ")"
