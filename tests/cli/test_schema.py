"""`recount schema`: complete, refers only to what is there, and generated pages that need no platform."""

from pathlib import Path
from typing import Any

import pytest

from events import FACT_TYPES
from services.schema import adapter_names, commands_by_service
from tests.cli.recount import Recount


@pytest.fixture
def offline(tmp_path: Path) -> Recount:
    """A data folder in which nothing runs."""
    return Recount(tmp_path)


@pytest.fixture
def document(offline: Recount) -> dict[str, Any]:
    return offline.do("schema", "--asyncapi").json


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def at(document: dict[str, Any], reference: str) -> Any:
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


def test_every_fact_has_a_channel_a_message_and_a_schema(document: dict[str, Any]):
    for tag, kind in FACT_TYPES.items():
        category, _, name = tag.partition(".")
        assert document["channels"][tag]["address"] == f"evt.{category}.{{id}}.{name}"
        message = at(document, document["channels"][tag]["messages"][tag]["$ref"])
        assert message["payload"]["properties"]["data"] == {"$ref": f"#/components/schemas/{kind.__name__}"}
        assert document["operations"][f"say.{tag}"]["action"] == "send"


def test_every_command_has_a_channel_and_says_what_is_answered(document: dict[str, Any]):
    commands = commands_by_service()
    assert set(commands) >= {"incident", "intake", "oncall"}
    for service, kinds in commands.items():
        for kind in kinds:
            name = f"cmd.{service}.{kind.__struct_config__.tag}"
            operation = document["operations"][f"obey.{name}"]
            assert operation["action"] == "receive"
            answers = [at(document, message["$ref"])["$ref"] for message in operation["reply"]["messages"]]
            assert answers == ["#/components/messages/answer.done", "#/components/messages/answer.refused"]
            assert set(document["components"]["schemas"][name]["properties"]) == {"type", *kind.__struct_fields__}


def test_every_adapter_has_a_channel(document: dict[str, Any]):
    assert set(adapter_names()) >= {"alertmanager", "cloudevents", "json", "pagerduty"}
    for sender in adapter_names():
        assert document["channels"][f"intake.{sender}"]["address"] == f"intake.{sender}"


def test_the_document_is_asyncapi_3(document: dict[str, Any]):
    """The rules of the specification, version 3.0.0, that a document like ours could break."""
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    assert document.keys() <= {
        "asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components",
    }  # fmt: skip
    for server in document["servers"].values():
        assert server.keys() >= {"host", "protocol"}
    for channel in document["channels"].values():
        assert channel.keys() <= {"address", "description", "parameters", "messages"}
        assert channel["messages"]
        named = {part[1:-1] for part in (channel["address"] or "").split(".") if part.startswith("{")}
        assert named == set(channel.get("parameters", {}))
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        # Messages of an operation must be those of its channel, and be referred to through it.
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/")


def test_the_document_refers_only_to_what_it_holds(document: dict[str, Any]):
    for reference in references(document):
        at(document, reference)


def test_one_fact_is_shown_with_its_envelope(offline: Recount):
    schema = offline.do("schema", "incident.declared").json
    assert schema["properties"]["data"]["properties"]["severity"]["enum"][0] == "sev1"
    assert set(offline.do("schema").json) == set(FACT_TYPES)


def test_an_unknown_fact_is_refused_with_those_of_its_family(offline: Recount):
    assert "incident.declared" in offline.refused("schema", "incident.exploded").hint


def test_the_pages_are_written_where_they_are_wanted(offline: Recount, tmp_path: Path):
    offline.do("schema", "--docs", str(tmp_path / "docs"))
    assert sorted(page.name for page in (tmp_path / "docs").iterdir()) == ["events.md", "projections.md"]
