"""Laws about the vocabulary: each field of each fact is a column that a person can type."""

import re
import types
from collections.abc import Iterator, Mapping
from typing import Union, get_args, get_origin

import duckdb
import msgspec

from events.fact import Fact, category_of
from events.registry import FACT_TYPES

# A number called one of these is a length of time, and says its unit.
_DURATION_WORDS = re.compile(r"(^|_)(delay|timeout|duration|interval|elapsed|age|wait|within|length|period|shift)(_|$)")
_UNITS = ("_us", "_ms", "_s", "_minutes", "_hours", "_days", "_weeks")


def field_names_are_columns(kinds: Mapping[str, type[Fact]] = FACT_TYPES) -> list[str]:
    """A field name stands unquoted in SQL, as a column of a table and in a SELECT."""
    complaints = []
    connection = duckdb.connect()
    for tag, kind, field in _fields(kinds):
        try:
            connection.execute(f"create or replace temp table legal ({field.name} integer)")
            connection.execute(f"select {field.name} from legal where {field.name} is null order by {field.name}")
        except duckdb.Error as error:
            complaints.append(f"{kind.__name__} ({tag}): {field.name} is not a column name: {error}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", field.name):
            complaints.append(f"{kind.__name__} ({tag}): {field.name} is not lower_case_with_underscores")
    return complaints


def durations_name_their_unit(kinds: Mapping[str, type[Fact]] = FACT_TYPES) -> list[str]:
    """``answer_within_s``, never ``answer_within``; moments end in ``_at``, calendar dates in ``_on``."""
    complaints = []
    for tag, kind, field in _fields(kinds):
        plain = _plain_types(field.type)
        if plain & {int, float} and _DURATION_WORDS.search(field.name) and not field.name.endswith(_UNITS):
            complaints.append(f"{kind.__name__} ({tag}): {field.name} is a length of time without a unit")
        if any(getattr(one, "__name__", "") == "datetime" for one in plain) and not field.name.endswith("_at"):
            complaints.append(f"{kind.__name__} ({tag}): {field.name} is a moment; call it {field.name}_at")
    return complaints


def facts_explain_themselves(kinds: Mapping[str, type[Fact]] = FACT_TYPES) -> list[str]:
    """A docstring, a headline that its own fields can fill, and a tag of two words."""
    complaints = []
    for tag, kind in kinds.items():
        if not kind.__dict__.get("__doc__"):
            complaints.append(f"{kind.__name__} ({tag}) does not say what it means")
        if not re.fullmatch(r"[a-z]+\.[a-z_]+", tag) or not category_of(kind):
            complaints.append(f"{kind.__name__}: tag {tag!r} is not <category>.<name>")
        unknown = set(re.findall(r"{(\w+)}", getattr(kind, "headline", ""))) - {*kind.__struct_fields__, "actor"}
        if not getattr(kind, "headline", "") or unknown:
            complaints.append(
                f"{kind.__name__} ({tag}): its headline is missing or names unknown fields {sorted(unknown)}"
            )
    return complaints


def _fields(kinds: Mapping[str, type[Fact]]) -> Iterator[tuple[str, type[Fact], msgspec.structs.FieldInfo]]:
    for tag, kind in kinds.items():
        for field in msgspec.structs.fields(kind):
            yield tag, kind, field


def _plain_types(annotation: object) -> set[object]:
    if get_origin(annotation) in (Union, types.UnionType):
        return {plain for part in get_args(annotation) for plain in _plain_types(part)}
    return {annotation}
