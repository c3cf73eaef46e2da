"""The lens of a verb that reads: options for both clocks, and what is said of the lens in the answer."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from services.cli.times import short_time

AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="TIME|SEQ",
        help="As known at: what the log held at a position, or at an ISO 8601 time (UTC when it names no zone).",
    ),
]
HappenedByOption = Annotated[
    str,
    typer.Option(
        "--happened-by",
        metavar="TIME",
        help="As happened by: of what is known, only what is believed to have happened by then, whenever it was told.",
    ),
]
KnownByOption = Annotated[
    str,
    typer.Option(
        "--known-by",
        metavar="TIME",
        help="For imported history: only what its first recorder knew by then, whenever it was imported.",
    ),
]


def asked_lens(as_of: str, happened_by: str, known_by: str) -> dict[str, str | None]:
    """The parameters that ask for a lens; what was not said is None and is not sent."""
    return {"as_of": as_of or None, "happened_by": happened_by or None, "known_by": known_by or None}


def bounds(answer: Mapping[str, Any]) -> str:
    """What an answer says of the clocks beside its log position: empty when they did not bound it."""
    words = {"happened_by": "happened by", "known_by": "known elsewhere by"}
    return "".join(
        f", {said} {short_time(answer[name])} UTC" for name, said in words.items() if answer.get(name) is not None
    )
