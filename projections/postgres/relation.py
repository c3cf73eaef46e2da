"""What the system catalog tells of a view."""

from collections.abc import Iterable

import msgspec

from projections.comments import DocumentedView


class RelationColumn(msgspec.Struct, frozen=True):
    """A column of a view."""

    name: str
    type: str
    """As DuckDB writes it."""
    comment: str = ""


class Relation(msgspec.Struct, frozen=True):
    """A view that may be asked."""

    name: str
    columns: tuple[RelationColumn, ...]
    comment: str = ""
    """What a row means."""
    sql: str = ""
    """Its SELECT, empty when it is not shown."""


def relations(views: Iterable[DocumentedView]) -> list[Relation]:
    """What the warehouse documents, as the system catalog tells it."""
    return [
        Relation(
            view.name,
            tuple(RelationColumn(each.name, each.type, view.meanings.get(each.name, "")) for each in view.columns),
            view.sentence,
            view.sql,
        )
        for view in views
    ]
