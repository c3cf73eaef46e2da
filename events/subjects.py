"""Streams and their NATS subjects: ``incident.INC-42`` and ``evt.incident.INC-42.declared``.

A stream is named ``<category>.<id>``. Each fact has its own subject under it, so that any NATS client can subscribe
to exactly the facts it wants, such as ``evt.incident.*.declared``.
"""

from events.errors import InvalidEvent
from events.fact import Fact, category_of, name_of
from events.ids import is_id

ROOT = "evt"
ALL = f"{ROOT}.>"


def stream_of(category: str, identifier: str) -> str:
    """The stream name of one thing, such as ``incident.INC-42``.

    Raises:
        InvalidEvent: the id has characters that a subject may not have.
    """
    if not is_id(identifier):
        raise InvalidEvent(
            f"{identifier!r} cannot name a {category}: use 1 to 64 of A-Z a-z 0-9 _ -",
        )
    return f"{category}.{identifier}"


def split(stream: str) -> tuple[str, str]:
    """Category and id of a stream: ``("incident", "INC-42")``."""
    category, _, identifier = stream.partition(".")
    return category, identifier


def subject_of(stream: str, kind: type[Fact]) -> str:
    """The subject of one fact in one stream.

    Raises:
        InvalidEvent: the fact belongs to another category, or the stream name is malformed.
    """
    category, identifier = split(stream)
    if category != category_of(kind) or not is_id(identifier):
        raise InvalidEvent(f"{kind.__name__} belongs in a stream {category_of(kind)}.<id>, not in {stream!r}")
    return f"{ROOT}.{category}.{identifier}.{name_of(kind)}"


def stream_from_subject(subject: str) -> str:
    """``incident.INC-42`` for ``evt.incident.INC-42.declared``. Never fails: a malformed subject gives some stream."""
    return ".".join(subject.split(".")[1:3])


def every_fact_of(stream: str) -> str:
    """The filter that covers a whole stream: ``evt.incident.INC-42.*``. Version checks use it."""
    return f"{ROOT}.{stream}.*"


def every_stream_of(category: str) -> str:
    """The filter that covers a category: ``evt.person.>``."""
    return f"{ROOT}.{category}.>"
