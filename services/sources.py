"""Where each sender posts: the address to paste, and a request to try it with, from a payload of its documentation.

One file a sender in ``services/intake/examples/``; ``{key}`` stands for the secret of an integration key.
"""

import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "intake" / "examples"
PLACEHOLDER = "{key}"
UNKNOWN_SECRET = "SECRET-OF-THE-KEY"
"""Stands in an address whose secret nobody here knows: the log keeps only a hash."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One sender's request."""

    paste: str
    """Path that the sender is told."""
    where: str
    """Where in the sender's own settings it goes."""
    method: str
    path: str
    """Path that a request of the sender goes to; empty when nobody else can make one."""
    headers: dict[str, str] = {}
    body: str = ""
    mapping: str = ""
    """How the payload is read, where the integration key must say so."""
    instead: str = ""
    """How to try it when nobody else can make such a request."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A sender, with one of its integration keys or none."""

    sender: str
    where: str
    key_id: str = ""
    """Empty when it has no key yet."""
    key_name: str = ""
    url: str
    """What to paste."""
    curl: str
    """A command that posts an example; empty when nobody but the sender can."""
    instead: str = ""
    """What to do in place of it, or before it."""


@cache
def examples() -> dict[str, Example]:
    """Every sender's example by name."""
    return {path.stem: msgspec.json.decode(path.read_bytes(), type=Example) for path in sorted(FOLDER.glob("*.json"))}


def sources(intake_url: str, keys: Sequence[Mapping[str, str | None]], secrets: Mapping[str, str]) -> list[Source]:
    """Every sender with each of its keys.

    Args:
        intake_url: where senders reach intake.
        keys: rows of ``integration_keys`` that were not revoked.
        secrets: the secrets of keys that are known here, by key id.
    """
    found: list[Source] = []
    for sender, example in examples().items():
        own = [key for key in keys if key["sender"] == sender]
        if not own:
            found.append(source(sender, example, intake_url))
        for key in own:
            key_id = str(key["key_id"])
            found.append(
                source(sender, example, intake_url, key_id, str(key["name"] or ""), secrets.get(key_id, UNKNOWN_SECRET))
            )
    return found


def source(
    sender: str, example: Example, intake_url: str, key_id: str = "", key_name: str = "", secret: str = UNKNOWN_SECRET
) -> Source:
    """One sender with one key, or without."""
    steps = [] if key_id else [f"recount keys create {sender}" + (" --mapping FILE" if example.mapping else "")]
    if example.mapping:
        steps.append(f"this request is read by the mapping {' '.join(example.mapping.split())}")
    if example.instead:
        steps.append(example.instead)
    return Source(
        sender=sender,
        where=example.where,
        key_id=key_id,
        key_name=key_name,
        url=intake_url + example.paste.replace(PLACEHOLDER, secret),
        curl=curl(example, intake_url, secret) if example.path else "",
        instead="; then: ".join(steps),
    )


def curl(example: Example, intake_url: str, secret: str) -> str:
    """A shell command that sends an example."""
    parts = ["curl", "-fsS"]
    for name, value in example.headers.items():
        parts += ["-H", f"{name}: {value}"]
    if example.body:
        parts += ["--data-binary", example.body.strip().replace(PLACEHOLDER, secret)]
    elif example.method != "GET":
        parts += ["-X", example.method]
    return shlex.join([*parts, intake_url + example.path.replace(PLACEHOLDER, secret)])
