"""``recount schema``: what facts, commands and payloads look like, for programs and for readers. Needs no platform."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import FACT_TYPES, RecountError
from events.schema import all_fact_schemas, event_schema
from services.cli.console import say
from services.version import recount_version


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def schema(
        fact: Annotated[str, typer.Argument(metavar="[FACT]", help="One type, such as incident.declared.")] = "",
        asyncapi: Annotated[bool, typer.Option("--asyncapi", help="The whole NATS interface, AsyncAPI 3.0.")] = False,
        docs: Annotated[
            Path | None, typer.Option("--docs", metavar="DIR", help="Write events.md and projections.md there.")
        ] = None,
    ) -> None:
        """Print JSON Schema: of one event, or of every fact's data by its type."""
        # Imported here, because no other verb should wait for DuckDB and the services to be loaded.
        if docs is not None:
            from services.cli.reference import write_reference

            for path in write_reference(docs):
                say(str(path))
        elif asyncapi:
            from services.schema import asyncapi_document

            _print(asyncapi_document(recount_version()))
        elif fact:
            _print(event_schema(_fact_type(fact)))
        else:
            _print(all_fact_schemas())


def _fact_type(tag: str) -> Any:
    if tag not in FACT_TYPES:
        category = tag.partition(".")[0]
        close = [known for known in FACT_TYPES if known.startswith(f"{category}.")] or sorted(FACT_TYPES)
        raise RecountError(f"there is no fact {tag!r}", hint=f"Use one of: {', '.join(close)}.")
    return FACT_TYPES[tag]


def _print(document: dict[str, Any]) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
