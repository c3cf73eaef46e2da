"""What changed between two looks at the log, row by row, with the events that caused it.

Each view is computed through both lenses, set at a time, and compared by ``except all`` both ways; only views that
read a type of the events in between are. A row's causes are the events in between, of a type that its view reads, in
the stream that the row's key names and in those linked with it. Where there are none, as for a figure over many
incidents, every event in between that the view reads may be the cause, and `Change.is_certain` says so.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import msgspec

from events import RecountError
from projections import links
from projections.catalog import CATEGORY_OF_KEY, Catalog, View
from projections.change import Cause, Cell, Change, Diff, ViewChanges
from projections.lens import AsOf, Lens, base, main_schema, see_everything, show_as_of
from projections.log_tables import ALL, RETRACTION, all_rows_sql, category_table
from projections.query import QueryRefused, stopped_after

# More rows of one view are no longer read; their number is told all the same.
ROWS_PER_VIEW_MAX = 500
# An incident may have thousands of events; the first say what happened.
CAUSES_PER_ROW_MAX = 20
# Some ten views over ten million events, twice, with room to spare.
SECONDS_MAX = 60.0

# A stretch of the log that is copied rather than looked up again for each view.
SHORT_EVENTS = 100_000
# Streams that are still looked at one by one; with more, everything is computed, which then costs less.
OWNERS_MAX = 1_000


class UnknownView(RecountError):
    """A view that cannot be compared, because there is none of that name."""

    hint = "`recount views` lists them."


def diff(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    before: AsOf,
    after: AsOf,
    *,
    views: Sequence[str] = (),
    incident_id: str = "",
) -> Diff:
    """Compare what two lenses show, from one snapshot.

    Args:
        cursor: a connection of its own; it keeps temporary tables.
        catalog: the projections.
        before: a lens; None is the present.
        after: another one.
        views: which to compare; the stored ones when left out, as figures change with every event.
        incident_id: only rows of this incident, of views that say which incident a row belongs to.

    Raises:
        UnknownView: there is none of that name.
        QueryRefused: it took longer than `SECONDS_MAX`.
    """
    chosen = _chosen(catalog, views, incident_id)
    with stopped_after(cursor, SECONDS_MAX) as expired:
        cursor.begin()
        try:
            return _Comparison(cursor, catalog, _fixed(cursor, before), _fixed(cursor, after), incident_id).of(chosen)
        except duckdb.InterruptException as error:
            if not expired.is_set():
                raise QueryRefused("the comparison was stopped", hint="Ask again in a moment.") from error
            hint = "Compare one incident, one view, or a shorter stretch of the log."
            raise QueryRefused(f"the comparison was stopped after {SECONDS_MAX:g} s", hint=hint) from error
        finally:
            cursor.rollback()


def _chosen(catalog: Catalog, names: Sequence[str], incident_id: str) -> list[View]:
    by_name = {view.name: view for view in catalog.views}
    strangers = [name for name in names if name not in by_name]
    if strangers:
        raise UnknownView(f"there is no view {strangers[0][:64]!r} to compare")
    chosen = [by_name[name] for name in dict.fromkeys(names)]
    if not names:
        # The incidents come first, as they say most.
        chosen = sorted(
            (view for view in catalog.stored if view.name != links.NAME), key=lambda view: view.name != "incidents"
        )
    return [view for view in chosen if not incident_id or "incident_id" in _columns(view)]


def _fixed(cursor: duckdb.DuckDBPyConnection, as_of: AsOf) -> Lens:
    lens = as_of if isinstance(as_of, Lens) else Lens(position=as_of)
    if lens.position is not None:
        return lens
    row = cursor.execute("select position from warehouse_state").fetchone()
    assert row is not None
    return msgspec.structs.replace(lens, position=int(row[0]))


class _Comparison:
    """Two lenses on one connection, in the temporary tables ``seen_…``, ``side_…`` and ``differing``."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, catalog: Catalog, before: Lens, after: Lens, incident_id: str
    ) -> None:
        self._cursor = cursor
        self._catalog = catalog
        self._before = before
        self._after = after
        self._incident_id = incident_id
        self._main = main_schema(cursor)
        self._links = base(cursor, links.NAME)
        self._owners: dict[str, list[str]] | None = None

    def of(self, chosen: list[View]) -> Diff:
        self._see_between()
        types = {row[0] for row in self._cursor.execute("select distinct read_type from between_them").fetchall()}
        due = [view for view in chosen if types and (not view.reads or not types.isdisjoint(view.reads))]
        self._owners = self._owners_between()
        self._take("before", self._before, due)
        self._take("after", self._after, due)
        see_everything(self._cursor)
        found = [changes for view in due if (changes := self._changes_of(view)) is not None]
        row = self._cursor.execute("select count(*) from between_them").fetchone()
        assert row is not None
        return Diff(
            before=self._before,
            after=self._after,
            events=row[0],
            compared=tuple(view.name for view in due),
            views=tuple(found),
            causes=self._told({seq for each in found for change in each.changes for seq in change.causes}),
        )

    def _see_between(self) -> None:
        """``between_them``: the events that only one lens lets through. One that takes another back stands for that."""
        rows = f"""
            select
                told.seq,
                coalesce(retraction.event_stream, told.stream) as about,
                coalesce(retraction.event_type, told.type) as read_type
            from ({all_rows_sql(f"{self._main}.")}) as told
            left join (
                select seq, fact.event_stream as event_stream, fact.event_type as event_type
                from {self._main}.incident_rows
                where type = '{RETRACTION}'
            ) as retraction using (seq)
        """
        if _only_positions(self._before, self._after):
            # A view over a long stretch of the log costs nothing until it is asked; a short one is looked up once.
            low, high = sorted((self._before.position or 0, self._after.position or 0))
            kind = "table" if high - low <= SHORT_EVENTS else "view"
            self._cursor.execute(
                f"create temp {kind} between_them as {rows} where told.seq > {low} and told.seq <= {high}"
            )
            return
        for side, lens in (("before", self._before), ("after", self._after)):
            show_as_of(self._cursor, self._catalog, lens, frozenset({ALL}))
            self._cursor.execute(f"create temp table seen_{side} as select seq from {ALL}")
        self._cursor.execute(f"""
            create temp table between_them as
            {rows} where told.seq in (
                (select seq from seen_before except select seq from seen_after)
                union all
                (select seq from seen_after except select seq from seen_before)
            )
        """)

    def _take(self, side: str, lens: Lens, due: list[View]) -> None:
        show_as_of(self._cursor, self._catalog, lens, frozenset(view.name for view in due))
        if self._owners is not None and all(view.stored for view in due):
            self._take_slices(side, {tag.partition(".")[0] for view in due for tag in view.reads})
        for view in due:
            listed = ", ".join(map(_quoted, _columns(view)))
            wanted = ["true"]
            if self._incident_id and view.key[0] == "incident_id":
                wanted.append(f"incident_id = {_text(self._incident_id)}")
            if self._owners is not None and view.stored:
                wanted.append(f"{_quoted(view.key[0])} in ({_listed(self._owners.get(view.owner, ()))})")
            self._cursor.execute(
                f'create temp table "{side}_{view.name}" as '
                f'select {listed} from "{view.name}" where {" and ".join(wanted)}'
            )

    def _take_slices(self, side: str, categories: set[str]) -> None:
        """Have the folds see only the streams that they need: those of the rows, and those linked with these."""
        assert self._owners is not None
        streams = [f"{category}.{identifier}" for category, ids in self._owners.items() for identifier in ids]
        needed = self._near(f"select unnest([{_listed(streams)}]) as stream" if streams else "select '' as stream")
        for category in categories:
            rows, slice_ = category_table(category), f"{side}_slice_of_{category}"
            self._cursor.execute(
                f"create temp table {slice_} as from {rows} where stream_id in ({_listed(needed.get(category, ()))})"
            )
            # The folds bind when they are asked, so they follow.
            self._cursor.execute(f"create or replace temp view {rows} as from {slice_}")

    def _owners_between(self) -> dict[str, list[str]] | None:
        """The ids, by category, of the streams whose rows can differ: those of the events in between and those linked
        with them directly, as in `projections.refresh`. None when they are too many to be named."""
        near = self._near("select distinct about as stream from between_them")
        return None if sum(map(len, near.values())) > OWNERS_MAX else near

    def _near(self, streams: str) -> dict[str, list[str]]:
        """The ids, by category, of some streams and of those linked with them directly."""
        found = self._cursor.execute(
            f"""
            with given as ({streams}),
            near as (
                from given
                union select links.other from given join {self._links} as links using (stream)
                union select links.stream from given join {self._links} as links on links.other = given.stream
            )
            select split_part(stream, '.', 1), split_part(stream, '.', 2) from near
            """
        ).fetchall()
        ids: dict[str, set[str]] = {}
        for category, identifier in found:
            for each in links.STREAMS_OF_ONE_ID if category in links.STREAMS_OF_ONE_ID else (category,):
                ids.setdefault(each, set()).add(identifier)
        return {category: sorted(of_it) for category, of_it in ids.items()}

    def _changes_of(self, view: View) -> ViewChanges | None:
        columns = _columns(view)
        before, after = f'"before_{view.name}"', f'"after_{view.name}"'
        on = " and ".join(f"gone.{_quoted(name)} is not distinct from come.{_quoted(name)}" for name in view.key)
        mine, params = "", list[str]()
        if self._incident_id:
            mine, params = "where gone.incident_id = $1 or come.incident_id = $1", [self._incident_id]
        self._cursor.execute(
            f"""
            create or replace temp table differing as
            select
                {
                ", ".join(
                    f"coalesce(gone.{_quoted(name)}, come.{_quoted(name)}) as key_{place}"
                    for place, name in enumerate(view.key)
                )
            },
                case when come.is_there is null then 'removed' when gone.is_there is null then 'added'
                    else 'changed' end as kind,
                {
                ", ".join(
                    f"gone.{_quoted(name)} as before_{place}, come.{_quoted(name)} as after_{place}"
                    for place, name in enumerate(columns)
                )
            }
            from (select *, true as is_there from (from {before} except all from {after})) as gone
            full join (select *, true as is_there from (from {after} except all from {before})) as come on {on}
            {mine}
            """,
            params,
        )
        counts = dict(self._cursor.execute("select kind, count(*) from differing group by kind").fetchall())
        if not counts:
            return None
        order = ", ".join(f"key_{place}" for place in range(len(view.key)))
        rows = self._cursor.execute(f"from differing order by {order} limit {ROWS_PER_VIEW_MAX}").fetchall()
        causes = self._causes_of(view, {row[0] for row in rows})
        return ViewChanges(
            view=view.name,
            added=counts.get("added", 0),
            removed=counts.get("removed", 0),
            changed=counts.get("changed", 0),
            changes=tuple(_change(view, columns, row, causes) for row in rows),
        )

    def _causes_of(self, view: View, ids: set[Any]) -> dict[Any, list[int]]:
        """The positions of the events that concern each row, by its first key column; under None, all of the view's."""
        types = sorted(view.reads)
        reads = "list_contains($types, read_type)" if types else "true"
        anything = self._cursor.execute(
            f"select seq from between_them where {reads} order by seq limit {CAUSES_PER_ROW_MAX + 1}",
            {"types": types} if types else {},
        ).fetchall()
        causes: dict[Any, list[int]] = {None: [row[0] for row in anything]}
        category = CATEGORY_OF_KEY.get(view.key[0]) if view.refresh == "view" else view.owner
        if category is None:
            return causes
        highest = max(self._before.position or 0, self._after.position or 0)
        near = f"""
            owners as (select unnest($ids::varchar[]) as id),
            mine as (select id, '{category}.' || id as stream from owners),
            linked as (select stream, other from {self._links} where seq <= {highest}),
            near as (
                select id, stream from mine
                union select mine.id, linked.other from mine join linked using (stream)
                union select mine.id, linked.stream from mine join linked on linked.other = mine.stream
                {"".join(_namesakes(category))}
            )
        """
        found = self._cursor.execute(
            f"""
            with {near}
            select near.id, seq
            from near join between_them on about = near.stream
            where {reads}
            qualify row_number() over (partition by near.id order by seq) <= {CAUSES_PER_ROW_MAX + 1}
            order by near.id, seq
            """,
            {"ids": sorted(map(str, ids))} | ({"types": types} if types else {}),
        ).fetchall()
        for identifier, seq in found:
            causes.setdefault(identifier, []).append(seq)
        return causes

    def _told(self, seqs: set[int]) -> dict[int, Cause]:
        rows = self._cursor.execute(
            "select seq, stream, type, happened_at, recorded_at, coalesce(actor, source, '') as actor, headline "
            "from history where seq in (select unnest(?::bigint[])) order by seq",
            [sorted(seqs)],
        ).fetchall()
        names = Cause.__struct_fields__
        return {row[0]: Cause(**dict(zip(names, row, strict=True))) for row in rows}


def _only_positions(*lenses: Lens) -> bool:
    return all(lens.known_by is None and lens.happened_by is None for lens in lenses)


def _namesakes(category: str) -> Iterable[str]:
    """Streams that carry the id of the same incident are linked without any fact that says so."""
    if category in links.STREAMS_OF_ONE_ID:
        for other in links.STREAMS_OF_ONE_ID:
            yield f" union select id, '{other}.' || id from mine"


def _change(view: View, columns: list[str], row: tuple[Any, ...], causes: dict[Any, list[int]]) -> Change:
    keys, kind, values = row[: len(view.key)], row[len(view.key)], row[len(view.key) + 1 :]
    cells = (Cell(name, *values[2 * place : 2 * place + 2]) for place, name in enumerate(columns))
    own = causes.get(keys[0]) if keys[0] is not None else None
    seqs = own or causes[None]
    return Change(
        kind=kind,
        key=dict(zip(view.key, keys, strict=True)),
        cells=tuple(cell for cell in cells if cell.column not in view.key and cell.before != cell.after),
        causes=tuple(seqs[:CAUSES_PER_ROW_MAX]),
        has_more_causes=len(seqs) > CAUSES_PER_ROW_MAX,
        is_certain=bool(own),
    )


def _columns(view: View) -> list[str]:
    # The whole fact is the same through every lens, and a VARIANT cannot be compared.
    return [column.name for column in view.columns if column.type != "VARIANT"]


def _listed(texts: Iterable[str]) -> str:
    # Written out, because only such a list reaches the rows under a fold before they are folded.
    return ", ".join(map(_text, texts)) or "null"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return f'"{name}"'
