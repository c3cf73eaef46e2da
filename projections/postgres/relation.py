"""What the system catalog tells of a view."""

import msgspec


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
