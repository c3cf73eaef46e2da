"""What Recount sends and receives on NATS, as one AsyncAPI 3.0 document, told from the classes.

Facts, commands and adapters are found, not listed: a new fact class, a new command class or a new adapter file is in
the document by itself. Written from the specification (https://www.asyncapi.com/docs/reference/specification/v3.0.0);
FastStream's own generator cannot describe msgspec structs.
"""

import importlib
import pkgutil
from typing import Any

import msgspec

import services
from events import FACT_TYPES, Fact
from events.fact import category_of, name_of, tag_of
from events.nats_streams import INTAKE_SUBJECT_ROOT
from events.recorded import CONTENT_TYPE
from events.schema import component_schemas, event_schema, meaning, summary
from events.subjects import ROOT
from services.command import COMMAND_ROOT, Command, Done, Order, Refused

ASYNCAPI_VERSION = "3.0.0"
JSON_TYPE = "application/json"

# Those below are no senders' adapters though they lie beside them.
_NOT_ADAPTERS = frozenset({"adapter", "registry"})

Document = dict[str, Any]


def asyncapi_document(version: str) -> Document:
    """The whole document.

    Args:
        version: of Recount, as it is installed.
    """
    commands = commands_by_service()
    document: Document = {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Recount",
            "version": version,
            "description": (
                "An incident platform on an immutable event log. Every fact is a CloudEvents 1.0 event on a subject of "
                "its own; payloads of senders come in on `intake.<source>`; commands are asked by request and reply."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": JSON_TYPE,
        "servers": {
            "nats": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "The embedded nats-server; `recount up` prints where it listens.",
            }
        },
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": {}},
    }
    _add_facts(document)
    _add_intake(document)
    _add_commands(document, commands)
    return document


def commands_by_service() -> dict[str, list[type[Command]]]:
    """Every command class by the subject word of its service: ``{"incident": [Declare, …], "oncall": […]}``."""
    found: dict[str, list[type[Command]]] = {}
    for package in sorted(pkgutil.iter_modules(services.__path__), key=lambda module: module.name):
        if not package.ispkg:
            continue
        folder = importlib.import_module(f"services.{package.name}").__path__
        if any(module.name == "commands" for module in pkgutil.iter_modules(folder)):
            module = importlib.import_module(f"services.{package.name}.commands")
            kinds = [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type) and issubclass(kind, Command) and kind.__module__ == module.__name__
            ]
            found[_subject_word(package.name)] = sorted(kinds, key=_tag)
    return found


def adapter_names() -> list[str]:
    """The senders that intake understands, from the files of its adapters; none when intake is not installed."""
    try:
        folder = importlib.import_module("services.intake.adapters").__path__
    except ModuleNotFoundError:
        return []
    return sorted(module.name for module in pkgutil.iter_modules(folder) if module.name not in _NOT_ADAPTERS)


def _add_facts(document: Document) -> None:
    document["components"]["schemas"] |= _components(list(FACT_TYPES.values()))
    for kind in FACT_TYPES.values():
        tag, category = tag_of(kind), category_of(kind)
        document["components"]["messages"][tag] = {
            "name": tag,
            "title": kind.__name__,
            "summary": summary(kind),
            "contentType": CONTENT_TYPE,
            "payload": _envelope(kind),
        }
        document["channels"][tag] = {
            "address": f"{ROOT}.{category}.{{id}}.{name_of(kind)}",
            "description": meaning(kind),
            "parameters": {"id": {"description": f"Which {category}; 1 to 64 of A-Z a-z 0-9 _ -."}},
            "messages": {tag: {"$ref": f"#/components/messages/{tag}"}},
        }
        _operate(document, f"say.{tag}", "send", tag, [tag], summary(kind))


def _add_intake(document: Document) -> None:
    for sender in adapter_names():
        name = f"intake.{sender}"
        document["components"]["messages"][name] = {
            "name": name,
            "summary": f"A payload in the format of {sender}, published by a producer on NATS.",
            "headers": {
                "type": "object",
                "properties": {
                    "Recount-Received": {"type": "string", "format": "date-time"},
                    "Content-Type": {"type": "string"},
                },
            },
            "payload": {"description": "The sender's own format."},
        }
        document["channels"][name] = {
            "address": f"{INTAKE_SUBJECT_ROOT}.{sender}",
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        }
        _operate(document, f"hear.{name}", "receive", name, [name], f"Take alerts from {sender}.")


def _add_commands(document: Document, commands: dict[str, list[type[Command]]]) -> None:
    document["components"]["schemas"] |= _components([Order, Done, Refused])
    for answer in (Done, Refused):
        document["components"]["messages"][f"answer.{_tag(answer)}"] = {
            "name": f"answer.{_tag(answer)}",
            "summary": meaning(answer),
            "contentType": JSON_TYPE,
            "payload": {"$ref": f"#/components/schemas/{answer.__name__}"},
        }
    answers = [f"answer.{_tag(answer)}" for answer in (Done, Refused)]
    # A reply goes to the inbox that the asker names in its request, so it has no address of its own.
    document["channels"]["answer"] = {
        "address": None,
        "description": "The asker's inbox, given as the reply subject of the request.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in answers},
    }
    for service, kinds in commands.items():
        for kind in kinds:
            _add_command(document, service, kind, answers)


def _add_command(document: Document, service: str, kind: type[Command], answers: list[str]) -> None:
    name = f"{COMMAND_ROOT}.{service}.{_tag(kind)}"
    schemas = _components([kind])
    # Two services may both have a verb with a class of one name, so the schema is named by the subject.
    schemas[name] = schemas.pop(kind.__name__)
    document["components"]["schemas"] |= schemas
    document["components"]["messages"][name] = {
        "name": name,
        "title": kind.__name__,
        "summary": summary(kind),
        "description": meaning(kind),
        "contentType": JSON_TYPE,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Order"},
                {"type": "object", "properties": {"command": {"$ref": f"#/components/schemas/{name}"}}},
            ]
        },
    }
    document["channels"][name] = {
        "address": name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }
    _operate(document, f"obey.{name}", "receive", name, [name], summary(kind))
    document["operations"][f"obey.{name}"]["reply"] = {
        "channel": {"$ref": "#/channels/answer"},
        "messages": [{"$ref": f"#/channels/answer/messages/{answer}"} for answer in answers],
    }


def _operate(document: Document, name: str, action: str, channel: str, messages: list[str], summary: str) -> None:
    document["operations"][name] = {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"} for message in messages],
    }


def _envelope(kind: type[Fact]) -> Document:
    envelope = event_schema(kind)
    properties = envelope["properties"] | {"data": {"$ref": f"#/components/schemas/{kind.__name__}"}}
    return {key: envelope[key] for key in ("title", "description", "type", "required")} | {"properties": properties}


def _components(kinds: list[Any]) -> dict[str, Document]:
    return component_schemas(kinds, ref_template="#/components/schemas/{name}")


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _subject_word(package: str) -> str:
    # cmd.incident.<verb>, though the package is services/incidents.
    return package.removesuffix("s") if package == "incidents" else package
