"""The schemas are told from the classes, so they may not lie about them."""

import json
from typing import Any

import pytest

from events import FACT_TYPES, Fact
from events.fact import tag_of
from events.incident import IncidentDeclared, IncidentReopened
from events.schema import all_fact_schemas, event_schema, fact_schema, field_meanings, meaning, type_in_words
from tests.events.examples import golden_lines

ALL_FACTS = pytest.mark.parametrize("kind", FACT_TYPES.values(), ids=FACT_TYPES.keys())


def references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"]} if "$ref" in schema else set()
        return own.union(*map(references, schema.values()))
    return set().union(*map(references, schema)) if isinstance(schema, list) else set()


@ALL_FACTS
def test_a_schema_names_its_tag_and_every_field(kind: type[Fact]) -> None:
    properties = fact_schema(kind)["properties"]
    assert properties["type"] == {"enum": [tag_of(kind)]}
    assert set(properties) == {"type", *kind.__struct_fields__}


@ALL_FACTS
def test_a_schema_refers_only_to_what_it_holds(kind: type[Fact]) -> None:
    for schema in (fact_schema(kind), event_schema(kind)):
        assert references(schema) == {f"#/$defs/{name}" for name in schema.get("$defs", {})}


@ALL_FACTS
def test_pinned_events_have_what_their_schema_requires_and_nothing_else(kind: type[Fact]) -> None:
    schema = event_schema(kind)
    for line in golden_lines(kind):
        event = json.loads(line)
        assert set(schema["required"]) <= set(event) <= set(schema["properties"])
        data = schema["properties"]["data"]
        assert set(data["required"]) <= set(event["data"]) <= set(data["properties"])


@ALL_FACTS
def test_every_fact_and_field_can_be_told_in_words(kind: type[Fact]) -> None:
    assert meaning(kind).endswith((".", ")"))
    assert all(type_in_words(kind, field) for field in kind.__struct_fields__)


def test_every_fact_has_a_schema() -> None:
    assert list(all_fact_schemas()) == sorted(FACT_TYPES)


def test_a_field_is_described_by_the_string_under_it() -> None:
    assert field_meanings(IncidentDeclared)["reason"] == "Which criteria were met."
    assert fact_schema(IncidentDeclared)["properties"]["reason"]["description"] == "Which criteria were met."
    assert "title" not in field_meanings(IncidentDeclared)


def test_times_and_choices_are_told_as_such() -> None:
    moment = fact_schema(IncidentDeclared)["properties"]["detected_at"]["anyOf"][0]
    assert moment == {"type": "string", "format": "date-time"}
    assert type_in_words(IncidentReopened, "kind") == "one of relapse, mistaken"
