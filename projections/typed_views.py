"""The views over the copy of the log: one for each fact class, generated from its struct; nothing by hand for a type.

``incident_declared`` holds the events of type ``incident.declared`` with the fact's fields as typed columns and its
headline. ``incident_facts`` holds every event of the category with the fields of all its classes, for folds that
would otherwise scan the log once a type. ``history`` holds every event of every type with its headline, ``log`` every
event as it was recorded.

An event that was taken back (``incident.event_retracted``) is in none of them but ``history``, which says by what, and
``log``. So every projection answers as if it had never been told, without knowing of retractions.
"""

import string
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

from events import FACT_TYPES
from events.fact import Fact, category_of
from events.recorded import HEADLINE_TIME
from projections.fact_columns import column, fields_of, json_shape, quoted, sql_type
from projections.log_tables import ALL, CATEGORIES, OTHER, category_table

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
    "happened_earliest",
    "happened_latest",
    "known_at",
)
"""The columns that every typed view takes over from the log."""

LOG_COLUMNS = (
    "seq",
    "stream",
    "category",
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
    "traceparent",
    "happened_earliest",
    "happened_latest",
    "known_at",
)
"""The columns of ``log`` before ``data``, which is a VARIANT: ``data.title`` takes a field out of it."""

_STANDS = "retracted_by_seq is null"

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
        _the_log(),
        *(_view_of_fact(tag, kind) for tag, kind in FACT_TYPES.items()),
        *(_view_of_category(category, kinds) for category, kinds in _categories().items()),
        _view_of_everything(),
    ]


def _the_log() -> TypedView:
    return TypedView(
        name="log",
        sentence="Every event of the log as it was recorded. Times are UTC; what an event does not say is null.",
        sql=f"select {', '.join(LOG_COLUMNS)}, try_cast(data as variant) as data from {ALL}",
        reads=frozenset(),
    )


def view_name(tag: str) -> str:
    """Name of the view over one fact type: ``incident_declared`` for ``incident.declared``."""
    return tag.replace(".", "_")


def column_name(field: str) -> str:
    """Name of the column of a fact's field. ``event_id`` of a fact is another event's, so it is ``fact_event_id``."""
    return f"fact_{field}" if field in ENVELOPE else field


def _categories() -> dict[str, dict[str, type[Fact]]]:
    found: dict[str, dict[str, type[Fact]]] = {}
    for tag, kind in FACT_TYPES.items():
        found.setdefault(category_of(kind), {})[tag] = kind
    return found


def _view_of_fact(tag: str, kind: type[Fact]) -> TypedView:
    category = category_of(kind)
    columns = [
        *_envelope(category),
        *(f"{_value(field)} as {quoted(column_name(field.name))}" for field in fields_of(kind)),
    ]
    return TypedView(
        name=view_name(tag),
        sentence=_sentence(kind),
        sql=f"select {', '.join(columns)}, {_headline(kind)} as headline from {category_table(category)} "
        f"where type = {_text(tag)} and {_STANDS}",
        reads=frozenset({tag}),
    )


class NarrowFacts(msgspec.Struct, frozen=True):
    """``<category>_facts`` in a few columns, over rows that are few too."""

    category: str
    types: tuple[str, ...]
    row_columns: tuple[str, ...]
    shape: str
    columns: tuple[str, ...]

    def select(self, rows: str) -> str:
        """The SELECT over a relation with the columns of a table of the log.

        The fields of facts are read anew from the raw data: the rows of one stream lie scattered over the table, and
        fetching them in many columns takes several times longer than in few.
        """
        fact = (f"json_transform(data, {self.shape}) as fact",) if self.shape != "'{}'" else ()
        few = ", ".join((*self.row_columns, *fact))
        stands = f"{_STANDS} and type in ({', '.join(map(_text, self.types))})"
        return f"select {', '.join(self.columns)} from (select {few} from {rows} as told where {stands}) as told"


def narrow_facts(category: str, words: frozenset[str]) -> NarrowFacts:
    """The facts of a category in those columns whose names are among some words, and ``type``."""
    wanted = words | {"seq", "stream_id", "type"}
    fields = {
        name: holders for name, holders in _by_field(_categories()[category]).items() if column_name(name) in wanted
    }
    return NarrowFacts(
        category=category,
        types=tuple(_categories()[category]),
        row_columns=tuple(name for name in ENVELOPE if name in wanted and name != "stream"),
        shape=json_shape(category, frozenset(fields)),
        columns=(
            *(sql for name, sql in zip(ENVELOPE, _envelope(category), strict=True) if name in wanted),
            *(f"{_shared_value(name, holders)} as {quoted(column_name(name))}" for name, holders in fields.items()),
        ),
    )


def _view_of_category(category: str, kinds: dict[str, type[Fact]]) -> TypedView:
    columns = [
        f"{_shared_value(name, holders)} as {quoted(column_name(name))}" for name, holders in _by_field(kinds).items()
    ]
    return TypedView(
        name=f"{category}_facts",
        sentence=f"Every event of a {category} stream, with the fields of all its facts.",
        # Types of a later version stay out: what a projection reads must be known, or it could not be refreshed.
        sql=f"select {', '.join([*_envelope(category), *columns])} from {category_table(category)} "
        f"where type in ({', '.join(map(_text, kinds))}) and {_STANDS}",
        reads=frozenset(kinds),
    )


def _by_field(kinds: dict[str, type[Fact]]) -> dict[str, list[tuple[str, inspect.Field]]]:
    """Which facts hold each field, in the order in which they name them."""
    found: dict[str, list[tuple[str, inspect.Field]]] = {}
    for tag, kind in kinds.items():
        for field in fields_of(kind):
            found.setdefault(field.name, []).append((tag, field))
    return found


def history_of(categories: Iterable[str], *, unknown: bool = False) -> str:
    """The SELECT of ``history`` over the tables of some categories; with ``unknown``, of those of a later version
    too."""
    kinds = _categories()
    selects = [
        f"select {', '.join(_envelope(category))}, {_text(category)} as category, "
        f"try_cast(data as variant) as data, {_any_headline(kinds[category])} as headline, retracted_by_seq "
        f"from {category_table(category)}"
        for category in categories
    ]
    if unknown:
        selects.append(
            f"select {', '.join(ENVELOPE)}, category, try_cast(data as variant), type, retracted_by_seq "
            f"from (select *, category || '.' || stream_id as stream from {OTHER})"
        )
    return "\nunion all\n".join(selects)


def _view_of_everything() -> TypedView:
    return TypedView(
        name=EVERY_TYPE,
        sentence="Every event of the log with its headline; one of an unknown type shows its type. "
        "``retracted_by_seq`` is the position of the event that took it back.",
        sql=history_of(CATEGORIES, unknown=True),
        reads=frozenset(),
    )


def _envelope(category: str) -> list[str]:
    """The columns of `ENVELOPE` as the table of a category gives them."""
    return [f"{_text(category + '.')} || stream_id as stream" if name == "stream" else name for name in ENVELOPE]


def _any_headline(kinds: dict[str, type[Fact]]) -> str:
    cases = " ".join(f"when {_text(tag)} then {_headline(kind)}" for tag, kind in kinds.items())
    return f"case when data is null then type else case type {cases} else type end end"


def _shared_value(name: str, holders: list[tuple[str, inspect.Field]]) -> str:
    cases = [(tag, default) for tag, field in holders if (default := _default(field)) is not None]
    if not cases:
        return column(name)
    whens = " ".join(f"when {_text(tag)} then {value}" for tag, value in cases)
    return f"coalesce({column(name)}, case type {whens} end)"


def _value(field: inspect.Field) -> str:
    default = _default(field)
    # A field that equals its default is not on the wire.
    return column(field.name) if default is None else f"coalesce({column(field.name)}, {default})"


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
            return f"cast([] as {sql_type(field.type)})"
        case dict() if not default:
            return f"cast(map() as {sql_type(field.type)})"
    return None


def _headline(kind: type[Fact]) -> str:
    """The headline template of a fact class as an SQL expression; the same text as `events.headline`."""
    fields = {field.name: field for field in fields_of(kind)}
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
            value = _value(fields[name])
            yield f"strftime({value}, {_text(HEADLINE_TIME)})" if sql_type(fields[name].type) == "timestamp" else value


def _sentence(kind: type[Fact]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _text(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"
