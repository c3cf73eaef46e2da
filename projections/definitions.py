"""Which definitions a warehouse's file stands at, and how it comes to those of another version of this program.

The file keeps the whole catalog by which its projections were computed. A version with other SQL opens it under those
definitions, so that everything answers and follows the log as before, computes beside what they change, and changes
over in one transaction (`compute_beside`, `change_over`). Only projections whose own SQL changed, and those that read
them, are computed; everything else stays as it is.
"""

import hashlib
import logging

import duckdb
import msgspec

from projections import links
from projections.catalog import Catalog
from projections.lens import base
from projections.refresh import Refresher
from projections.schema import PEOPLE_VIEW, SCHEMA_VERSION, create_tables
from projections.storage import Progress, UnusableWarehouse, compute_all, define

logger = logging.getLogger("recount.projections")

NEXT = "next_"
"""Prefix of a table that is computed beside the one that it will replace."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file stands when it was opened."""

    position: int
    projected: int
    """The position that its projections are of."""
    catalog: Catalog
    """The definitions that it answers by."""
    outdated: frozenset[str] = frozenset()
    """The stored projections that have to be computed before it answers by the newest ones."""


def prepare(setup: duckdb.DuckDBPyConnection, newest: Catalog, *, complete: bool) -> Standing:
    """Bring a file to what a version defines: to the newest definitions when that is cheap, to its own when it is not.

    Args:
        setup: within a transaction, while nobody else uses the file.
        newest: the definitions of this version.
        complete: compute what was only loaded.

    Raises:
        UnusableWarehouse: its tables are those of another version.
    """
    create_tables(setup)
    state = setup.execute(
        "select schema_version, definitions, position, projected_position from warehouse_state"
    ).fetchone()
    if state is None:
        state = (SCHEMA_VERSION, "", 0, 0)
        setup.execute("insert into warehouse_state values (?, ?, ?, ?)", state)
    version, definitions, position, projected = state
    if version != SCHEMA_VERSION:
        raise UnusableWarehouse(f"it has schema version {version}, this program {SCHEMA_VERSION}")
    setup.execute(PEOPLE_VIEW)
    kept = decode_definitions(definitions)
    if kept is not None and fingerprints(kept) == fingerprints(newest):
        if projected == position or not complete:
            return Standing(position=position, projected=projected, catalog=newest)
    elif kept is not None and projected == position and position:
        return _between(setup, kept, newest, position)
    else:
        define_anew(setup, newest)
        if not complete:
            setup.execute("update warehouse_state set projected_position = 0")
            return Standing(position=position, projected=0, catalog=newest)
    compute_all(setup, newest)
    return Standing(position=position, projected=position, catalog=newest)


def define_anew(cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Define everything by a catalog, empty, and keep that in the file."""
    define(cursor, catalog)
    _keep(cursor, catalog)


def _between(setup: duckdb.DuckDBPyConnection, kept: Catalog, newest: Catalog, position: int) -> Standing:
    outdated = to_compute(kept, newest)
    # Also with the definitions that it had: a computing that was broken off left tables behind.
    catalog = kept if outdated else newest
    define(setup, catalog, keep=frozenset(view.name for view in catalog.stored))
    if outdated:
        logger.info("new definitions, to be computed from the log: %s", ", ".join(sorted(outdated)))
    else:
        _keep(setup, newest)
    return Standing(position=position, projected=position, catalog=catalog, outdated=outdated)


def encode_definitions(catalog: Catalog) -> str:
    """A catalog as the file keeps it."""
    return msgspec.json.encode(catalog).decode()


def decode_definitions(text: str) -> Catalog | None:
    """The catalog that a file keeps; None when it keeps none that this version can read."""
    try:
        return msgspec.json.decode(text, type=Catalog)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def fingerprints(catalog: Catalog) -> dict[str, str]:
    """A SHA-256 of each view: of its SQL, its columns, and the same of everything that it reads.

    Equal ones mean equal rows over the same log.
    """
    found = {each.name: _sha256(each.sql) for each in catalog.typed}
    for view in catalog.views:
        columns = [f"{column.name} {column.type}" for column in view.columns]
        read = [found.get(name, "") for name in sorted(view.uses)]
        found[view.name] = _sha256(view.sql, *columns, *read)
    return found


def changed(old: Catalog, new: Catalog) -> tuple[str, ...]:
    """The views of a new catalog whose rows may differ from those of the old one, in an order to compute them in."""
    before, after = fingerprints(old), fingerprints(new)
    return tuple(view.name for view in new.views if before.get(view.name) != after[view.name])


def to_compute(old: Catalog, new: Catalog) -> frozenset[str]:
    """The stored projections that an upgrade has to compute."""
    differing = changed(old, new)
    was_stored = {view.name for view in old.stored}
    return frozenset(view.name for view in new.stored if view.name in differing or view.name not in was_stored)


def compute_beside(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    names: frozenset[str],
    progress: Progress = lambda _done, _total: None,
) -> int:
    """Compute stored projections by a new catalog into tables beside the present ones, from one snapshot of the log.

    The writer goes on meanwhile.

    Args:
        cursor: of its own; it is left with temporary views, so close it afterwards.
        catalog: the new definitions.
        names: which to compute; all others are taken as they are stored.
        progress: told after each how many are done, of how many.

    Returns:
        The position that they are of.
    """
    cursor.begin()
    try:
        position = cursor.execute("select position from warehouse_state").fetchone()
        assert position is not None
        for typed in catalog.typed:
            cursor.execute(f'create or replace temp view "{typed.name}" as {typed.sql}')
        done = 0
        for view in catalog.views:
            if view.name in names:
                table = base(cursor, NEXT + view.name)
                cursor.execute(f"create or replace table {table} as {view.sql}")
                cursor.execute(f'create or replace temp view "{view.name}" as from {table}')
                done += 1
                progress(done, len(names))
            elif not view.stored:
                cursor.execute(f'create or replace temp view "{view.name}" as {view.sql}')
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()
    return int(position[0])


def change_over(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, names: frozenset[str], position: int) -> None:
    """Put the tables of `compute_beside` in place and bring them from their position to the present one.

    Within the caller's transaction, while nobody else writes. The cursor is left with temporary tables.
    """
    kinds = _kinds(cursor)
    for name in sorted(names):
        if name in kinds:
            cursor.execute(f'drop {kinds[name]} "{name}"')
        cursor.execute(f'alter table "{NEXT}{name}" rename to "{name}"')
    define(cursor, catalog, keep=frozenset(view.name for view in catalog.stored))
    if links.NAME not in names:
        # It is the only one that a refresh adds to instead of replacing.
        cursor.execute(f"delete from {links.NAME} where seq > ?", [position])
    touched = cursor.execute(
        "select distinct stream, type from log_rows where seq > $1 or retracted_by_seq > $1", [position]
    ).fetchall()
    Refresher(cursor, catalog).follow(frozenset(touched), after=position)
    _keep(cursor, catalog)


def _keep(cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    cursor.execute("update warehouse_state set definitions = ?", [encode_definitions(catalog)])


def _kinds(cursor: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = cursor.execute(
        "select table_name, case table_type when 'VIEW' then 'view' else 'table' end from information_schema.tables "
        "where table_catalog = current_database() and table_schema = 'main'"
    ).fetchall()
    return dict(rows)


def _sha256(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
