"""The facts of a slice in only those columns that some projections name.

DuckDB binds and plans every column of every view that a SELECT stands on, used or not, and gives each one a vector;
over a slice of some hundred rows that is most of the cost, and no prepared statement spares it. So a connection that
folds slices sees, in place of the typed views, one table a category that holds what is named and nothing else.
"""

import re

import duckdb
import msgspec

from projections.catalog import Catalog
from projections.typed_views import NarrowFacts, TypedView, narrow_facts

_WORD = re.compile(r"\w+")


class Narrowed(msgspec.Struct, frozen=True):
    """The narrow tables under some projections."""

    facts: tuple[NarrowFacts, ...]
    """One for each category whose facts they read."""
    typed: tuple[TypedView, ...]
    """The typed views that they read."""

    def show(self, cursor: duckdb.DuckDBPyConnection, rows: dict[str, str]) -> None:
        """Have a connection see every typed view over a narrow table.

        Args:
            cursor: the connection.
            rows: for each category, rows of its table of the log.
        """
        self.fill(cursor, rows)
        for typed in self.typed:
            (category,) = {tag.partition(".")[0] for tag in typed.reads}
            # Every row of a narrow table is one of its category's facts.
            (only, *others) = typed.reads
            which = "" if others else f"where type = '{only}'"
            cursor.execute(f'create or replace temp view "{typed.name}" as from {category}_narrow {which}')

    def fill(self, cursor: duckdb.DuckDBPyConnection, rows: dict[str, str]) -> None:
        """Replace what the narrow tables hold.

        Args:
            cursor: the connection.
            rows: for each category, rows of its table of the log; one that is left out stays as it was.
        """
        for facts in self.facts:
            if facts.category in rows:
                cursor.execute(
                    f"create or replace temp table {facts.category}_narrow as "
                    f"{facts.select(f'({rows[facts.category]})')}"
                )

    def hide(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Have a connection see the typed views as they are again."""
        for typed in self.typed:
            cursor.execute(f'drop view temp."{typed.name}"')
        for facts in self.facts:
            cursor.execute(f"drop table temp.{facts.category}_narrow")


def narrowed(catalog: Catalog, names: frozenset[str]) -> Narrowed | None:
    """The narrow tables under some projections; None when a view over the whole log is among them.

    Whatever word of their SQL is the name of a column counts as naming it. So a star means the columns that are named
    elsewhere: good enough for ``count(*)``, and a projection that wants more of a typed view must say what.

    Args:
        catalog: the projections.
        names: the projections, and all that they read.
    """
    typed = tuple(each for each in catalog.typed if each.name in names)
    if any(not each.reads for each in typed):
        return None
    words = frozenset(_WORD.findall(" ".join(view.sql for view in catalog.views if view.name in names)))
    categories = sorted({tag.partition(".")[0] for each in typed for tag in each.reads})
    return Narrowed(tuple(narrow_facts(category, words) for category in categories), typed)
