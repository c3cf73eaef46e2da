"""The OpenAPI documents name every route, and can be read by programs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from litestar.routes import HTTPRoute

from services.incidents.commands import VERBS
from services.intake import door_document
from services.intake.adapters import adapters
from services.intake.answers import answers
from services.web import api_document
from services.web.metric_questions import PARAMETERS
from tests.services.web.stack import Stack, running

DOCUMENTS = {"web": api_document.document, "intake": door_document.document}


@pytest.fixture(scope="module")
def recount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running platform."""
    with running(tmp_path_factory.mktemp("recount")) as stack:
        yield stack


def parts_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from parts_of(item)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid_openapi_and_all_that_it_refers_to_is_there(name: str):
    document = DOCUMENTS[name]()
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    for part in parts_of(document):
        if "$ref" in part:
            found: Any = document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
    identifiers = [part["operationId"] for part in parts_of(document) if "operationId" in part]
    assert len(identifiers) == len(set(identifiers))
    assert json.loads(json.dumps(document)) == document


def test_every_api_route_is_documented_with_what_it_refuses(recount: Stack):
    paths = api_document.document()["paths"]
    routes = {
        (route.path_format, method.lower())
        for route in recount.server.config.app.routes
        if isinstance(route, HTTPRoute) and (route.path.startswith("/api/") or route.path == "/healthz")
        for method in route.methods - {"OPTIONS"}
    }
    routes.remove(("/api/incidents/{incident_id}/{verb}", "post"))
    routes |= {(f"/api/incidents/{{incident_id}}/{verb}", "post") for verb in VERBS if verb != "open"}
    assert routes == {(path, method) for path, item in paths.items() for method in item}
    for path, item in paths.items():
        for operation in item.values():
            assert operation["summary"]
            is_open = operation.get("security") == []
            assert is_open == (path in ("/healthz", "/api/openapi.json"))
            assert is_open or operation["responses"].keys() >= {"400", "401", "503"}


def test_every_adapter_and_every_answer_is_in_intakes_document():
    paths = door_document.document()["paths"]
    for adapter in adapters().values():
        assert paths[f"/hooks/{adapter.name}/{{key}}"]["post"]["tags"] == [adapter.name]
        for route in adapter.routes:
            assert route.method.lower() in paths[route.template]
    for answered in answers():
        assert answered.route.method.lower() in paths[answered.route.template]


def test_both_are_served_to_everybody(recount: Stack):
    with recount.client("") as nobody:
        answer = nobody.get("/api/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == api_document.document()


def test_a_command_is_documented_with_its_fields():
    document = api_document.document()
    body = document["paths"]["/api/incidents/{incident_id}/resolve"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Resolve"}
    resolve = document["components"]["schemas"]["Resolve"]
    assert resolve["additionalProperties"] is False
    assert "happened_at" in resolve["properties"]
    assert "type" not in resolve["required"]


def test_every_parameter_of_a_metric_is_documented():
    document = api_document.document()
    named = {
        parameter["name"]
        for path in ("/api/metrics", "/api/metrics/restatement")
        for parameter in document["paths"][path]["get"]["parameters"]
    }
    assert named == PARAMETERS


def test_a_method_that_is_not_there_is_answered_with_those_that_are(recount: Stack):
    with recount.client() as program:
        answer = program.put("/api/silences")
        assert answer.status_code == 405
        assert {method.strip() for method in answer.headers["allow"].split(",")} == {"GET", "POST", "OPTIONS"}
