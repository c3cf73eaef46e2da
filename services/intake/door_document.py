"""The OpenAPI 3.1 document of intake's port, made out of what each adapter declares: a new one appears in it by itself.

What a sender is answered is not written down twice: its example is read and accepted, and refused.
"""

import importlib
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import (
    HOOKS,
    TARGET_HEADER,
    Adapter,
    InvalidPayload,
    Reply,
    Route,
    adapters,
    plain_invalid,
    plain_reply,
)
from services.intake.answers import Answered, answers
from services.sources import PLACEHOLDER, Example, examples
from services.version import recount_version

PATH = "/openapi.json"
INTRODUCTION = """A 2xx to what is posted means that the payload is on disk. `/hooks/<sender>/<key>` may stand before \
a sender's own paths, for clients that can only be told where everything begins. `OPTIONS` at every address is the \
handshake of CloudEvents web hooks. Everything is answered in the words of the sender's own API, where it has some; \
503 means to send it again."""

_KEY = "An integration key: `recount keys create`."
_SECURITY: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": _KEY},
    "basic": {"type": "http", "scheme": "basic", "description": f"{_KEY} It is the password."},
}
_BY_HEADER: list[dict[str, Any]] = [{name: []} for name in _SECURITY]
_WHY = {
    200: "Taken: it is on disk.",
    202: "Taken: it is on disk.",
    400: "It cannot be read. A payload that came with a key is kept as a dead letter.",
    401: "No integration key came with it, an unknown one, or the signature does not fit.",
    403: "The integration key was revoked, or is another sender's.",
    404: "There is no such thing, or not yet.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The content is of an unknown kind, or packed in an unknown way.",
    422: "Something is missing, or cannot be what it is.",
    431: "The headers are too large.",
    501: "It is not offered.",
    503: "Not now: send it again.",
}
_TURNED = (400, 401, 403, 408, 413, 414, 415, 431, 503)
"""What the door itself answers, whoever asks."""


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    responses: dict[str, Any] = {}
    for adapter in adapters().values():
        for route in _routes(adapter):
            paths.setdefault(route.template, {})[route.method.lower()] = _posting(adapter, route)
        responses |= {_name(adapter, status): _response(replies) for status, replies in _refusals(adapter).items()}
    for answered in answers():
        paths.setdefault(answered.route.template, {})[answered.route.method.lower()] = _asking(answered)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Recount intake", "version": recount_version(), "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "paths": dict(sorted((paths | _OWN).items())),
        "components": {"responses": responses, "securitySchemes": _SECURITY},
    }


def _routes(adapter: Adapter) -> list[Route]:
    """Every route of an adapter: its hook with the key in the path and in a header, and its own."""
    hook = f"{HOOKS}{adapter.name}"
    methods = dict.fromkeys(["POST", *(route.method for route in adapter.routes if route.template == hook)])
    hooks = [Route(method, template) for template in (hook, f"{hook}/{{key}}") for method in methods]
    return hooks + [route for route in adapter.routes if route.template != hook]


def _posting(adapter: Adapter, route: Route) -> dict[str, Any]:
    example = examples().get(adapter.name)
    said = importlib.import_module(f"services.intake.adapters.{adapter.name}").__doc__ or adapter.name
    operation = _operation(adapter, route, summary=said.partition("\n")[0].rstrip(":."), description=said)
    if route.method not in ("GET", "HEAD"):
        kind = _kind(example)
        body = _example_body(example, kind)
        operation["requestBody"] = {"content": {kind: {"example": body} if body is not None else {}}}
    taken = _taken(adapter, example)
    # Without an example that anybody could send, such as for signed payloads, it is only known to be a 2xx.
    success = {str(taken.status): _response([taken])} if taken else {"2XX": {"description": _WHY[202]}}
    if route.method == "HEAD":
        success = {status: {"description": _WHY[202]} for status in success}
    return operation | {"responses": success | _named(adapter, *_TURNED, *adapter.invalid_statuses)}


def _asking(answered: Answered) -> dict[str, Any]:
    adapter = adapters()[answered.sender]
    said = " ".join((answered.answer.__doc__ or "").split())
    operation = _operation(adapter, answered.route, summary=said.partition(":")[0].rstrip("."), description=said)
    found = {"200": {"description": "What was asked for.", "content": {"application/json": {}}}}
    return operation | {"responses": found | _named(adapter, *_TURNED, *adapter.invalid_statuses, *answered.refuses)}


def _operation(adapter: Adapter, route: Route, **said: str) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", route.template)
    identifier = re.sub(r"\W+", "_", f"{route.method.lower()}{route.template}").rstrip("_")
    return {
        **said,
        "operationId": identifier,
        "tags": [adapter.name],
        "security": [{}] if "key" in names else _BY_HEADER,
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
                **({"description": _KEY} if name == "key" else {}),
            }
            for name in names
        ],
    }


def _kind(example: Example | None) -> str:
    kind = example.headers.get("content-type", "") if example else ""
    return kind.partition(";")[0] or "application/json"


def _example_body(example: Example | None, kind: str) -> Any:
    if example is None or not example.body:
        return None
    return msgspec.json.decode(example.body) if kind.endswith("json") else example.body


def _taken(adapter: Adapter, example: Example | None) -> Reply | None:
    """The answer to the example; None when there is none."""
    if example is None or not example.path:
        return None
    hook = f"{HOOKS}{adapter.name}"
    address = example.path.removeprefix(f"{hook}/{PLACEHOLDER}") or hook
    headers = {name: value for name, value in example.headers.items() if name != "content-type"}
    receipt = Receipt(
        source=adapter.name,
        integration="key",
        received_at=datetime.fromtimestamp(0, UTC),
        content_type=example.headers.get("content-type", ""),
        headers={**headers, TARGET_HEADER: f"{example.method} {address.replace(PLACEHOLDER, 'key')}"},
        body=example.body.encode(),
    )
    reading = adapter.for_mapping(example.mapping)
    payload = reading.parse(receipt)
    return reading.accepted(payload, reading.prepare(payload, receipt, "0" * 32))


def _refusals(adapter: Adapter) -> dict[int, list[Reply]]:
    """What an adapter says to requests that are not taken, by the status that is meant."""
    asked = {status for one in answers() if one.sender == adapter.name for status in one.refuses}
    said = [adapter.refused(status, "why") for status in (*_TURNED, *adapter.invalid_statuses, *asked)]
    said += [adapter.invalid(InvalidPayload("why", status=status)) for status in adapter.invalid_statuses]
    by_status: dict[int, list[Reply]] = {}
    for reply in said:
        by_status.setdefault(reply.status, []).append(reply)
    return by_status


def _named(adapter: Adapter, *meant: int) -> dict[str, Any]:
    # Some senders have one status for several reasons.
    statuses = {adapter.refused(status, "why").status for status in meant}
    return {str(status): {"$ref": f"#/components/responses/{_name(adapter, status)}"} for status in sorted(statuses)}


def _name(adapter: Adapter, status: int) -> str:
    is_plain = adapter.refused is plain_reply and adapter.invalid is plain_invalid
    return f"{'plain' if is_plain else adapter.name}_{status}"


def _response(replies: list[Reply]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _WHY[replies[0].status]}
    if not replies[0].body:
        return described
    schemas: list[Any] = []
    for reply in replies:
        schema = _schema_of(msgspec.json.decode(reply.body))
        if schema not in schemas:
            schemas.append(schema)
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return described | {"content": {replies[0].content_type: {"schema": schema}}}


def _schema_of(value: Any) -> dict[str, Any]:
    """What values like this one look like."""
    match value:
        case dict():
            properties = {name: _schema_of(part) for name, part in value.items()}
            return {"type": "object", "properties": properties, "required": list(value)}
        case list():
            return {"type": "array"}
        case bool():
            return {"type": "boolean"}
        case int() | float():
            return {"type": "number"}
        case str():
            return {"type": "string"}
    return {}


def _own(summary: str, kind: str, *statuses: int) -> dict[str, Any]:
    described = {200: "Yes.", 503: "The log is away."}
    responses = {str(status): {"description": described[status], "content": {kind: {}}} for status in statuses}
    return {"get": {"summary": summary, "tags": ["own"], "security": [], "responses": responses}}


_OWN = {
    "/healthz": _own("Whether the log can be reached", "application/json", 200, 503),
    "/metrics": _own("Figures for Prometheus", "text/plain", 200),
    PATH: _own("This document", "application/json", 200),
}
