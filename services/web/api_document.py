"""HTTP API: its own OpenAPI 3.1 document, made out of the handlers. A new handler appears in it by itself.

What each answers is in its signature, what it does in its docstring, what else it refuses in `services.web.declared`.
"""

import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from services.incidents.commands import VERBS
from services.version import recount_version
from services.web import (
    api_admin,
    api_changes,
    api_events,
    api_export,
    api_import,
    api_incidents,
    api_intake,
    api_log,
    api_metrics,
    api_rules,
    api_silences,
    api_sql,
    api_sql_users,
    api_warehouse,
    page_alerts,
    page_diff,
    page_oncall,
    page_why,
    page_work,
)
from services.web.asked_lens import provide_lens
from services.web.declared import Declared, declared_by
from services.web.identity import ACTOR_HEADER, OPEN, SAFE_METHODS, admin_only, is_open
from services.web.orders import IDEMPOTENCY_HEADER, IDEMPOTENCY_KEY_CHARS_MAX
from services.web.problems import DOCUMENT_PATH, Refusal, is_api
from services.web.reader import POSITION_DIGITS_MAX
from services.web.site import provide_site

INTRODUCTION = """Every read takes `as_of`, `known_by` and `happened_by` where they are listed: the same question, \
answered as of another moment. `min_position` waits until what was just written can be read. Errors say what was \
asked, why not, and what to do instead."""

_REF = "#/components/schemas/{name}"
_REFUSAL = {"application/json": {"schema": {"$ref": _REF.format(name="Refusal")}}}
_WHY = {
    400: "It cannot be read, or is not possible in this form.",
    401: "No valid token came with it.",
    403: "The token is not enough for it.",
    404: "Something that it names does not exist.",
    409: "It is not possible as things stand.",
    413: "The body is too large.",
    503: "Not now: the log or a service does not answer, or what was asked to wait for did not come.",
}
_HAPPENED = {
    "happened_at": "When it happened, if that was earlier than now. ISO 8601, UTC unless it says.",
    "happened_earliest": "The earliest that it may have happened.",
    "happened_latest": "The latest that it may have happened.",
}
# A command about an incident that is there; `open` is for a new one alone.
_COMMANDS = {verb: kind for verb, kind in VERBS.items() if verb != "open"}
_COMMAND_PATH = "/api/incidents/{incident_id}/{verb}"


@get(DOCUMENT_PATH, opt=OPEN, sync_to_thread=True)
def openapi() -> Response[dict[str, Any]]:
    """This document. It is the same for every installation of a version, and open to all."""
    return Response(document())


ROUTERS: tuple[HTTPRouteHandler | Router, ...] = (
    openapi,
    api_log.healthz,
    api_log.router,
    api_metrics.router,
    api_incidents.router,
    api_rules.router,
    api_silences.router,
    api_sql.router,
    api_sql_users.router,
    api_admin.router,
    api_changes.router,
    api_import.router,
    api_intake.router,
    api_warehouse.router,
    api_export.router,
    api_events.router,
)
"""The HTTP API, but for what is told to people on pages in the same words."""
_WITH_PAGES = (page_alerts.router, page_diff.router, page_oncall.router, page_why.router, page_work.router)
"""What is told to programs beside its page."""


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    # An application of its own, because Litestar adds pages to the one that it describes.
    described = Litestar(
        [*ROUTERS, *_WITH_PAGES],
        dependencies={"site": Provide(provide_site, sync_to_thread=False), "lens": Provide(provide_lens)},
        openapi_config=OpenAPIConfig(
            title="Recount",
            version=recount_version(),
            description=INTRODUCTION,
            use_handler_docstrings=True,
            security=[{"token": []}],
            components=Components(
                security_schemes={
                    "token": SecurityScheme(
                        type="http", scheme="bearer", description="An access token; `recount up --json` prints one."
                    )
                }
            ),
        ),
    )
    written: dict[str, Any] = described.openapi_schema.to_schema()
    written["openapi"] = "3.1.1"
    handlers = {
        (route.path_format, method.lower()): handler
        for route in described.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
    }
    paths: dict[str, dict[str, Any]] = {path: item for path, item in written["paths"].items() if is_api(path)}
    for path, operations in paths.items():
        for method, operation in operations.items():
            _complete(operation, path, method, handlers[path, method])
    command = paths.pop(_COMMAND_PATH)["post"]
    paths |= {_COMMAND_PATH.replace("{verb}", verb): {"post": _asking(command, verb)} for verb in _COMMANDS}
    written["paths"] = dict(sorted(paths.items()))
    written["components"]["schemas"] |= _bodies(handlers.values())
    tidy: dict[str, Any] = _tidy(written)
    return tidy


def _bodies(handlers: Iterable[HTTPRouteHandler]) -> dict[str, Any]:
    """The schemas of everything that is sent, and of refusals. Litestar leaves out what a struct forbids."""
    structs: set[type[msgspec.Struct]] = {Refusal}
    commands: set[type[msgspec.Struct]] = {*_COMMANDS.values()}
    for handler in handlers:
        declaration = declared_by(handler.opt)
        (commands if declaration.is_order else structs).update(declaration.bodies)
        data = handler.parsed_fn_signature.parameters.get("data")
        if data is not None and isinstance(data.annotation, type) and issubclass(data.annotation, msgspec.Struct):
            structs.add(data.annotation)
    _, schemas = msgspec.json.schema_components([*structs, *commands], ref_template=_REF)
    for command in commands:
        _take_times(schemas[command.__name__])
    return dict(sorted(schemas.items()))


def _complete(operation: dict[str, Any], path: str, method: str, handler: HTTPRouteHandler) -> None:
    """Write into an operation what Litestar does not know."""
    declaration = declared_by(handler.opt)
    operation["summary"] = re.split(r"(?<=[.;])\s", operation["description"], maxsplit=1)[0].rstrip(".;")
    tag = path.removeprefix("/api").split("/")[1].partition(".")[0]
    operation["tags"] = [tag]
    operation["operationId"] = _identifier(tag, handler.handler_name)
    if is_open(handler.opt):
        operation["security"] = []
    else:
        operation.setdefault("parameters", []).extend(_parameters(declaration))
    if declaration.bodies:
        refs = [{"$ref": _REF.format(name=struct.__name__)} for struct in declaration.bodies]
        schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    responses = operation["responses"]
    responses.pop("400", None)
    ((status, success),) = ((status, response) for status, response in responses.items() if status.startswith("2"))
    success["description"] = HTTPStatus(int(status)).phrase
    for media in declaration.media:
        success["content"][media] = {}
    if is_open(handler.opt):
        return
    refuses = {400, 401, 503, *declaration.refuses}
    if method.upper() not in SAFE_METHODS or _is_for_admins(handler):
        refuses.add(403)
    if "{" in path:
        refuses.add(404)
    if declaration.is_order:
        refuses |= {404, 409}
    if "requestBody" in operation:
        refuses.add(413)
    for status in sorted(refuses):
        responses[str(status)] = {"description": _WHY[status], "content": _REFUSAL}


def _is_for_admins(handler: HTTPRouteHandler) -> bool:
    return any(admin_only in (layer.guards or ()) for layer in handler.ownership_layers)


def _identifier(tag: str, name: str) -> str:
    tag = tag.replace("-", "_")
    return name if name == tag else f"{tag}_{name}"


def _parameters(declaration: Declared) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": "min_position",
            "in": "query",
            "description": "Wait until this log position can be read.",
            "schema": {"type": "string", "pattern": f"^[0-9]{{1,{POSITION_DIGITS_MAX - 1}}}$"},
        }
    ]
    found += [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in declaration.query.items()
    ]
    if declaration.is_order:
        key = {"type": "string", "pattern": f"^[A-Za-z0-9_.:/-]{{1,{IDEMPOTENCY_KEY_CHARS_MAX}}}$"}
        found += [
            {
                "name": IDEMPOTENCY_HEADER,
                "in": "header",
                "description": "Makes it safe to send again: the same key asked twice is done once.",
                "schema": key,
            },
            {
                "name": ACTOR_HEADER,
                "in": "header",
                "description": "Handle or id of the person in whose name it is done; others than one's own need an "
                "admin token.",
                "schema": {"type": "string"},
            },
        ]
    return found


def _asking(command: dict[str, Any], verb: str) -> dict[str, Any]:
    """The operation of one verb, out of that of all of them."""
    kind = _COMMANDS[verb]
    said = " ".join((kind.__doc__ or "").split())
    content = {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
    return command | {
        "operationId": _identifier("incidents", verb),
        "summary": re.split(r"(?<=[.;])\s", said, maxsplit=1)[0].rstrip("."),
        "description": said,
        "parameters": [one for one in command["parameters"] if one["name"] != "verb"],
        "requestBody": {"required": True, "content": content},
    }


def _take_times(schema: dict[str, Any]) -> None:
    """A command over HTTP may leave its verb out, and say when it happened."""
    schema["required"] = [name for name in schema.get("required", ()) if name != "type"]
    schema["properties"] |= {
        name: {"type": "string", "format": "date-time", "description": meaning} for name, meaning in _HAPPENED.items()
    }


def _tidy(value: Any) -> Any:
    """The same, without what says nothing or what only Python's regular expressions need."""
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: _tidy(item)
        for name, item in value.items()
        if not (name in ("deprecated", "allowEmptyValue", "allowReserved") and item is False)
        and not (name in ("headers", "parameters") and not item)
    }
    if isinstance(pattern := kept.get("pattern"), str):
        # Python's `$` fits before a last line break, that of ECMA 262 does not.
        kept["pattern"] = pattern.replace(r"$(?!\n)", "$")
    if "in" in kept and isinstance(kept.get("schema"), dict):
        kept["schema"] = _said(kept["schema"])
    return kept


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is left out rather than null."""
    kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
    return schema if len(kinds) != 1 else {name: part for name, part in schema.items() if name != "oneOf"} | kinds[0]
