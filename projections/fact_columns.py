"""The fields of every fact as columns: what the tables of the log hold beside the raw data.

A field name means the same wherever it occurs, so the struct column ``fact`` of a category has one child for each
name, whatever the type of the event. Taking fields out of a VARIANT when asked was measured first: one that a stretch
of the log happens not to hold makes DuckDB 2.0 put every event of it together again, which took 700 ms for 100,000
events where this takes 6 ms.
"""

import json
from functools import cache
from typing import Any

from msgspec import inspect

from events import FACT_TYPES
from events.fact import Fact, category_of


def fields_of(kind: type[Fact]) -> tuple[inspect.Field, ...]:
    """The fields of a fact class, in order."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def quoted(identifier: str) -> str:
    """An SQL name that may be a reserved word."""
    return f'"{identifier}"'


def column(name: str) -> str:
    """The SQL that gives one field of a row of the log, in its type. What does not fit the type is null, so that
    no event, however odd, can stop a projection."""
    path = f"fact.{quoted(name)}"
    return _typed(path, _kinds()[name]) if "timestamp" in fact_fields()[name] else path


@cache
def fact_fields() -> dict[str, str]:
    """The SQL type of every field name that any fact has.

    Raises:
        TypeError: two facts give one name different types; one of them must be named apart.
    """
    found: dict[str, str] = {}
    for tag, kind in FACT_TYPES.items():
        for field in fields_of(kind):
            its_type = sql_type(field.type)
            if found.setdefault(field.name, its_type) != its_type:
                raise TypeError(f"{field.name!r} is {its_type} in {tag} and {found[field.name]} elsewhere")
    return found


@cache
def json_shape(category: str, names: frozenset[str] | None = None) -> str:
    """What DuckDB's ``json_transform`` makes ``fact`` of for the facts of a category, as an SQL text literal; with
    ``names``, of these fields alone."""
    kinds = sorted(_field_types(category).items())
    shape = {name: _shape(kind) for name, kind in kinds if names is None or name in names}
    return "'" + json.dumps(shape).replace("'", "''") + "'"


def sql_type(kind: inspect.Type) -> str:
    """The column type of a fact field.

    Raises:
        TypeError: there is none yet.
    """
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
            (only,) = {sql_type(each) for each in types if not isinstance(each, inspect.NoneType)}
            return only
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"{sql_type(item)}[]"
        case inspect.DictType(key_type=key, value_type=value):
            return f"map({sql_type(key)}, {sql_type(value)})"
        case inspect.StructType(fields=fields):
            return f"struct({', '.join(f'{quoted(field.name)} {sql_type(field.type)}' for field in fields)})"
    raise TypeError(f"a fact field of type {kind} has no column type; add one in projections/fact_columns.py")


def _typed(path: str, kind: inspect.Type) -> str:
    """The SQL that makes moments of the texts in a value."""
    match kind:
        case inspect.UnionType(types=types):
            (only,) = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _typed(path, only)
        case inspect.DateTimeType():
            # The plain cast to timestamp ignores the offset; this one honours it.
            return f"timezone('UTC', try_cast({path} as timestamptz))"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"list_transform({path}, lambda item: {_typed('item', item)})"
        case inspect.StructType(fields=fields):
            made = (f"{quoted(each.name)} := {_typed(f'{path}.{quoted(each.name)}', each.type)}" for each in fields)
            return f"case when {path} is not null then struct_pack({', '.join(made)}) end"
    return path


@cache
def _kinds() -> dict[str, inspect.Type]:
    return {field.name: field.type for kind in FACT_TYPES.values() for field in fields_of(kind)}


def _field_types(category: str) -> dict[str, inspect.Type]:
    fact_fields()  # refuses a name with two types
    kinds = [kind for kind in FACT_TYPES.values() if category_of(kind) == category]
    return {field.name: field.type for kind in kinds for field in fields_of(kind)}


def _shape(kind: inspect.Type) -> Any:
    match kind:
        case inspect.UnionType(types=types):
            (only,) = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _shape(only)
        case inspect.DateTimeType():
            return "VARCHAR"  # cast where it is read, because the shape knows no zone
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return [_shape(item)]
        case inspect.StructType(fields=fields):
            return {field.name: _shape(field.type) for field in fields}
    return sql_type(kind).upper()
