"""What the facts look like, for programs and for readers: JSON Schema out of the classes, and meanings out of the
docstrings. A fact has one definition, its class; this module only tells it in other words.

The schemas are JSON Schema 2020-12. A consumer must accept fields that it does not know: a newer version may add some.
"""

import ast
import inspect
import textwrap
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from events.fact import Fact, tag_of
from events.recorded import CONTENT_TYPE, EVENT_BYTES_MAX
from events.registry import FACT_TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def field_meanings(kind: type[msgspec.Struct]) -> dict[str, str]:
    """What each documented field of a struct means: the string that follows the field in the source.

    Returns:
        One entry for each field that has such a string, in the order of the class; several lines are joined.
    """
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    meanings: dict[str, str] = {}
    field = ""
    for statement in definition.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                field = name
            case ast.Expr(value=ast.Constant(value=str(text))) if field:
                meanings[field] = one_line(text)
                field = ""
            case _:
                field = ""
    return meanings


def meaning(kind: type[msgspec.Struct]) -> str:
    """What a struct means: the whole docstring of its class, in one line."""
    return one_line(inspect.getdoc(kind) or "")


def summary(kind: type[msgspec.Struct]) -> str:
    """The first line of what a struct means."""
    return one_line((inspect.getdoc(kind) or "").partition("\n\n")[0])


def fact_schema(kind: type[Fact]) -> dict[str, Any]:
    """The JSON Schema of a fact's ``data``, complete in itself."""
    return {"$schema": DIALECT, **struct_schema(kind)}


def struct_schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a struct, with the structs it is made of under ``$defs``."""
    components = component_schemas([kind], ref_template="#/$defs/{name}")
    whole = components.pop(kind.__name__)
    return {**whole, "$defs": components} if components else whole


def component_schemas(kinds: Sequence[type[msgspec.Struct]], *, ref_template: str) -> dict[str, dict[str, Any]]:
    """The JSON Schemas of structs and of all that they are made of, by class name, referring to each other.

    Args:
        kinds: the structs.
        ref_template: how one refers to another, such as ``#/components/schemas/{name}``.
    """
    _references, components = msgspec.json.schema_components(kinds, ref_template=ref_template)
    for kind in kinds:
        for part in _structs_in(kind):
            _describe(components[part.__name__], part)
    return components


def event_schema(kind: type[Fact]) -> dict[str, Any]:
    """The JSON Schema of a whole event on the wire: the CloudEvents envelope around a fact."""
    tag = tag_of(kind)
    data = struct_schema(kind)
    parts = data.pop("$defs", {})
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    return {
        "$schema": DIALECT,
        "title": f"{kind.__name__}Event",
        "description": f"A CloudEvents 1.0 event ({CONTENT_TYPE}) of at most {EVENT_BYTES_MAX} bytes.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text | {"description": "Unique in the log."},
            "source": text | {"description": "Which service says it, such as recount/incidents."},
            "type": {"const": tag},
            "subject": text | {"description": f"The stream, such as {tag.partition('.')[0]}.<id>."},
            "time": moment | {"description": "When it happened. When it was recorded is the log's to say."},
            "datacontenttype": {"const": "application/json"},
            "actor": text | {"description": "A person id, service:<name> or key:<id>; absent: the source itself."},
            "authid": text | {"description": "Which token or page link the actor used."},
            "causationid": text | {"description": "The event, command or receipt that this one answers."},
            "correlationid": text | {"description": "What it all belongs to; usually an incident id."},
            "traceparent": text | {"description": "W3C Trace Context."},
            "timeearliest": moment | {"description": "Lower bound, when the time is not known precisely."},
            "timelatest": moment | {"description": "Upper bound, when the time is not known precisely."},
            "data": data,
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        **({"$defs": parts} if parts else {}),
    }


def all_fact_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every fact, by its tag."""
    return {tag: fact_schema(kind) for tag, kind in sorted(FACT_TYPES.items())}


def type_in_words(kind: type[msgspec.Struct], field: str) -> str:
    """The type of a field for readers: ``text``, ``one of sev1, sev2``, ``time, or nothing``."""
    return _in_words(struct_schema(kind)["properties"][field])


def one_line(text: str) -> str:
    """A docstring as one line of Markdown."""
    return " ".join(text.split()).replace("``", "`")


def _in_words(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case {"enum": list(choices)}:
            return "one of " + ", ".join(map(str, choices))
        case {"anyOf": list(choices)}:
            words = [_in_words(choice) for choice in choices]
            return ", or ".join(words)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_in_words(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"names with {_in_words(values)}"
        case {"format": "date-time"}:
            return "time"
        case {"type": str(name)}:
            return {"string": "text", "integer": "whole number", "boolean": "yes or no", "null": "nothing"}.get(
                name, name
            )
    raise TypeError(f"no words for {schema!r}: add a case")


def _describe(schema: dict[str, Any], kind: type[msgspec.Struct]) -> None:
    schema["description"] = meaning(kind)
    hints = get_type_hints(kind)
    for field in kind.__struct_fields__:
        here = schema["properties"][field]
        if text := field_meanings(kind).get(field):
            here["description"] = text
        if get_origin(hints[field]) is Literal:
            here["enum"] = list(get_args(hints[field]))  # in the order that the class gives them a meaning by
        # msgspec writes every time with its zone, but tells only that it is a string.
        if hints[field] is datetime:
            here["format"] = "date-time"
        elif datetime in get_args(hints[field]):
            # A field that may be left out, but not be null, is no choice.
            [moment] = [choice for choice in here.get("anyOf", [here]) if choice.get("type") == "string"]
            moment["format"] = "date-time"


def _structs_in(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    found = [kind]
    for hint in get_type_hints(kind).values():
        for part in _parts_of(hint):
            if isinstance(part, type) and issubclass(part, msgspec.Struct) and part not in found:
                found += [kind for kind in _structs_in(part) if kind not in found]
    return found


def _parts_of(hint: Any) -> list[Any]:
    """A type and everything that it is made of: the struct in ``tuple[Struct, ...] | UnsetType``."""
    return [hint, *(inner for part in get_args(hint) for inner in _parts_of(part))]
