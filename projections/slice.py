"""A slice of the log: the events of a few streams and of those linked with them, in the shape of the log's own tables.

Live refresh computes what a batch changed from one (`projections.refresh`), and a question about one incident is
answered from one (`projections.lens`), so neither costs more when the log is longer.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import duckdb

from projections import links
from projections.catalog import View
from projections.fact_columns import json_shape
from projections.log_tables import OTHER, ROW_COLUMNS, category_table

Needs = dict[str, set[str]]
"""Which types of which streams are needed; no types means all."""


def linked(cursor: duckdb.DuckDBPyConnection, table: str, streams: Iterable[str]) -> dict[str, set[str]]:
    """The streams that each of some streams is linked with directly.

    Args:
        cursor: where to ask.
        table: the stored view ``links``.
        streams: names such as ``incident.INC-42``.
    """
    found: dict[str, set[str]] = defaultdict(set)
    names = set(streams)
    # Two scans that each may skip row groups: half the time of one scan with an `or`. By the id, because DuckDB tells
    # row groups apart by the first twelve bytes of a text, and those of a stream's name are its category.
    rows = cursor.execute(
        f"select stream, other from {table} where stream_id in (select unnest($1::varchar[])) "
        f"union all select other, stream from {table} where other_id in (select unnest($1::varchar[]))",
        [sorted(map(id_of, names))],
    ).fetchall()
    for stream, other in rows:
        if stream in names:
            found[stream].add(other)
    for stream in names:
        category, identifier = category_of(stream), id_of(stream)
        if category in links.STREAMS_OF_ONE_ID:
            found[stream] |= {f"{each}.{identifier}" for each in links.STREAMS_OF_ONE_ID} - {stream}
    return found


def needs_of(folds: Iterable[View], owners: dict[str, set[str]], around: dict[str, set[str]]) -> Needs:
    """What projections need for the rows of some streams: those streams and the ones linked with them, of what they
    read.

    Args:
        folds: the projections.
        owners: the streams whose rows are computed, by projection.
        around: what each of these is linked with.
    """
    needs: Needs = defaultdict(set)
    for view in folds:
        types_read = by_category(view.reads)
        for owner in owners[view.name]:
            for stream in (owner, *around.get(owner, ())):
                needs[stream] |= types_read.get(category_of(stream), frozenset())
    return {stream: types for stream, types in needs.items() if types}


def rows_needed(needs: Needs, table: str, rows: str) -> str:
    """The SELECT of those rows of one table of the log that a slice holds.

    Args:
        needs: what the slice holds.
        table: the table's name.
        rows: the relation to take them from, such as the table's qualified name.
    """
    here = {stream: types for stream, types in needs.items() if category_table(category_of(stream)) == table}
    if not here:
        return f"from {rows} limit 0"
    types = set[str]() if not all(here.values()) else set().union(*here.values())
    return f"select * from {rows} where stream_id in ({listed(map(id_of, here))})" + (
        f" and type in ({listed(types)})" if types else ""
    )


def take_slice(
    cursor: duckdb.DuckDBPyConnection, needs: Needs, tables: Iterable[str], rows: Callable[[str], str]
) -> None:
    """Have a connection see a slice in place of tables of the log.

    Args:
        cursor: where temporary tables take their place.
        needs: what the slice holds.
        tables: which tables; one of which nothing is needed is seen empty.
        rows: gives a relation to take the rows of a table from, such as its qualified name.
    """
    for table in tables:
        # The fields of facts are read anew from the raw data: the rows of one stream lie scattered over the table, and
        # fetching them in many columns takes several times longer than in few.
        own = (
            "category" if table == OTHER else f"json_transform(data, {json_shape(table.removesuffix('_rows'))}) as fact"
        )
        cursor.execute(
            f"create or replace temp table {table} as select {', '.join(ROW_COLUMNS)}, data, retracted_by_seq, {own} "
            f"from ({rows_needed(needs, table, rows(table))})"
        )


def listed(texts: Iterable[str]) -> str:
    """Texts as SQL literals, for ``in``; of none, one that nothing equals.

    Literals and not a parameter that is unnested: DuckDB then filters while it scans instead of joining.
    """
    return ", ".join("'" + text.replace("'", "''") + "'" for text in sorted(texts)) or "null"


def category_of(stream: str) -> str:
    """``incident`` for ``incident.INC-42``."""
    return stream.partition(".")[0]


def id_of(stream: str) -> str:
    """``INC-42`` for ``incident.INC-42``."""
    return stream.partition(".")[2]


def by_category(types: Iterable[str]) -> dict[str, set[str]]:
    """Types of events by the category of their streams."""
    found: dict[str, set[str]] = defaultdict(set)
    for its_type in types:
        found[category_of(its_type)].add(its_type)
    return found
