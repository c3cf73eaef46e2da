"""``recount tail``: what happens, as it happens."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, harmless
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def tail(
        after: Annotated[
            int | None, typer.Option(help="Begin after this log position; 0 tells everything. Left out: from now on.")
        ] = None,
        count: Annotated[int, typer.Option("--count", "-n", help="Stop after so many events; 0 never does.")] = 0,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Follow the log: one line an event, until interrupted. Times are UTC."""
        with connect(data) as api, api.stream("GET", "/api/tail", endless=True, after=after) as lines:
            for told, event in enumerate(events_of(lines), start=1):
                sys.stdout.write((msgspec.json.encode(event).decode() if as_json else harmless(_line(event))) + "\n")
                sys.stdout.flush()
                if told == count:
                    return


def events_of(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON of each server-sent event; comments, which only keep the connection open, are left out."""
    for line in lines:
        if line.startswith("data:"):
            yield msgspec.json.decode(line.removeprefix("data:"))


def _line(event: dict[str, Any]) -> str:
    return f"{event['seq']:>8}  {short_time(event['happened_at'])}  {event['stream']:<24}  {event['headline']}"
