"""One SQL view for each fact class, generated from its struct; nothing is written by hand for a type.

``incident_declared`` holds the events of type ``incident.declared`` with the fact's fields as typed columns and its
headline. ``incident_facts`` holds every event of the category with the fields of all its classes, for folds that
would otherwise scan the log once a type. ``history`` holds every event of every type with its headline.
"""

import string
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

from events import FACT_TYPES
from events.fact import Fact, category_of

ENVELOPE = (
    "seq",
    "stream",
    "stream_id",
    "type",
    "event_id",
    "source",
    "happened_at",
    "recorded_at",
    "actor",
    "auth_id",
    "causation_id",
    "correlation_id",
)
"""The columns that every typed view takes over from the log."""

EVERY_TYPE = "history"
"""Name of the view over all events."""


class TypedView(msgspec.Struct, frozen=True):
    """A generated view."""

    name: str
    sentence: str
    sql: str
    """One SELECT over ``log``."""
    reads: frozenset[str]
    """Tags of the facts it shows; empty when it shows all, those of a later version too."""


def typed_views() -> list[TypedView]:
    """Every generated view: one a fact class, one a category, and ``history``."""
    return [
        *(_view_of_fact(tag, kind) for tag, kind in FACT_TYPES.items()),
        *(_view_of_category(category, kinds) for category, kinds in _categories().items()),
        _view_of_everything(),
    ]


def view_name(tag: str) -> str:
    """Name of the view over one fact type: ``incident_declared`` for ``incident.declared``."""
    return tag.replace(".", "_")


def _categories() -> dict[str, dict[str, type[Fact]]]:
    found: dict[str, dict[str, type[Fact]]] = {}
    for tag, kind in FACT_TYPES.items():
        found.setdefault(category_of(kind), {})[tag] = kind
    return found


def _view_of_fact(tag: str, kind: type[Fact]) -> TypedView:
    columns = [*ENVELOPE, *(f"{_value(field)} as {_name(field.name)}" for field in _fields(kind))]
    return TypedView(
        name=view_name(tag),
        sentence=_sentence(kind),
        sql=f"select {', '.join(columns)}, {_headline(kind)} as headline from log "
        f"where category = {_text(category_of(kind))} and type = {_text(tag)}",
        reads=frozenset({tag}),
    )


def _view_of_category(category: str, kinds: dict[str, type[Fact]]) -> TypedView:
    by_name: dict[str, list[tuple[str, inspect.Field]]] = {}
    for tag, kind in kinds.items():
        for field in _fields(kind):
            by_name.setdefault(field.name, []).append((tag, field))
    columns = [f"{_shared_value(name, holders)} as {_name(name)}" for name, holders in by_name.items()]
    return TypedView(
        name=f"{category}_facts",
        sentence=f"Every event of a {category} stream, with the fields of all its facts.",
        # Types of a later version stay out: what a projection reads must be known, or it could not be refreshed.
        sql=f"select {', '.join([*ENVELOPE, *columns])} from log "
        f"where category = {_text(category)} and type in ({', '.join(map(_text, kinds))})",
        reads=frozenset(kinds),
    )


def _view_of_everything() -> TypedView:
    cases = " ".join(f"when {_text(tag)} then {_headline(kind)}" for tag, kind in FACT_TYPES.items())
    return TypedView(
        name=EVERY_TYPE,
        sentence="Every event of the log with its headline; one of an unknown type shows its type.",
        sql=f"select {', '.join(ENVELOPE)}, category, data, "
        f"case when data is null then type else case type {cases} else type end end as headline from log",
        reads=frozenset(),
    )


def _fields(kind: type[Fact]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _shared_value(name: str, holders: list[tuple[str, inspect.Field]]) -> str:
    types = {_sql_type(field.type) for _, field in holders}
    if len(types) > 1:
        raise TypeError(f"field {name!r} has the types {sorted(types)} in {[tag for tag, _ in holders]}: name it apart")
    raw = _extract(name, holders[0][1].type)
    cases = [(tag, default) for tag, field in holders if (default := _default(field)) is not None]
    if not cases:
        return raw
    return f"coalesce({raw}, case type {' '.join(f'when {_text(tag)} then {value}' for tag, value in cases)} end)"


def _value(field: inspect.Field) -> str:
    raw = _extract(field.name, field.type)
    default = _default(field)
    # A field that equals its default is not on the wire.
    return raw if default is None else f"coalesce({raw}, {default})"


def _extract(name: str, kind: inspect.Type) -> str:
    """The SQL that takes one field out of ``data``. What does not fit the type is null, so that no event, however
    odd, can stop a projection."""
    path = f"data.{_name(name)}"
    sql_type = _sql_type(kind)
    if sql_type == "timestamp":
        # The plain cast to timestamp ignores the offset; this one honours it.
        return f"timezone('UTC', try_cast(try_cast({path} as varchar) as timestamptz))"
    if sql_type.startswith("map"):
        return f"try_cast(try_cast({path} as json) as {sql_type})"
    return f"try_cast({path} as {sql_type})"


def _sql_type(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType() | inspect.LiteralType():
            return "varchar"
        case inspect.IntType():
            return "bigint"
        case inspect.BoolType():
            return "boolean"
        case inspect.FloatType():
            return "double"
        case inspect.DateTimeType():
            return "timestamp"
        case inspect.UnionType(types=types):
            (only,) = {_sql_type(each) for each in types if not isinstance(each, inspect.NoneType)}
            return only
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"{_sql_type(item)}[]"
        case inspect.DictType(key_type=key, value_type=value):
            return f"map({_sql_type(key)}, {_sql_type(value)})"
        case inspect.StructType(fields=fields):
            return f"struct({', '.join(f'{_name(field.name)} {_sql_type(field.type)}' for field in fields)})"
    raise TypeError(f"a fact field of type {kind} has no column type; add one in projections/typed_views.py")


def _default(field: inspect.Field) -> str | None:
    """The default of a field as an SQL literal; None when it has none, or has null."""
    default = field.default
    if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    match default:
        case bool():
            return "true" if default else "false"
        case int():
            return str(default)
        case str():
            return _text(default)
        case tuple() | list() if not default:
            return f"cast([] as {_sql_type(field.type)})"
        case dict() if not default:
            return f"cast(map() as {_sql_type(field.type)})"
    return None


def _headline(kind: type[Fact]) -> str:
    """The headline template of a fact class as an SQL expression; the same text as `events.headline`."""
    fields = {field.name: field for field in _fields(kind)}
    parts = list(_template_parts(kind.headline, fields))
    expression = f"concat({', '.join(parts)})"
    # A template such as "resolved: {summary}" loses its colon when there is nothing to say.
    return f"regexp_replace({expression}, ': $', '')" if kind.headline.endswith("}") else expression


def _template_parts(template: str, fields: dict[str, inspect.Field]) -> Iterator[str]:
    for literal, name, _format, _conversion in string.Formatter().parse(template):
        if literal:
            yield _text(literal)
        if name == "actor":
            yield "coalesce(actor, source)"
        elif name is not None:
            yield _value(fields[name])


def _sentence(kind: type[Fact]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _name(identifier: str) -> str:
    return f'"{identifier}"'


def _text(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"
