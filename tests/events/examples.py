"""One full and one minimal example of every fact, always the same, and the golden files that pin their bytes.

``golden/<tag>.jsonl`` holds one event a line, exactly as it goes over the wire. Lines are only ever added: a line that
was released must be readable for ever, even when today's classes would write it differently. After a change,
``make golden`` adds the new lines; look at the diff before committing it.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from events import FACT_TYPES, Event, Fact, encode
from events.fact import category_of, tag_of
from events.ids import derived_event_id

GOLDEN = Path(__file__).parent / "golden"
NOON = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)

ADA, BOB = "per-7f3k2m9qx4", "per-b2c4d6f8h3"

# The stream of each category that the examples live in.
IDENTIFIERS = {
    "alert": "3f9c1d2e4b5a6978c0d1",
    "incident": "INC-42",
    "group": "8d1f0a2b3c4d5e6f7a8b",
    "escalation": "INC-42",
    "page": "pg-9k4m2n7pq3",
    "rotation": "primary",
    "policy": "default",
    "person": ADA,
    "directory": "people",
    "review": "INC-42",
    "key": "key-alertmanager",
    "token": "tok-4d5e6f7g8h",
    "deadletter": "0a1b2c3d4e5f60718293",
    "system": "actors-1",
    "order": "5e6f7a8b9c0d1e2f3a4b",
    "import": "7c8d9e0f1a2b3c4d5e6f",
    "rules": "default",
    "silence": "sil-3g4h5j6k7m",
    "inhibition": "2b3c4d5e6f7a8b9c0d1e",
    "change": "9a8b7c6d5e4f3a2b1c0d",
    "heartbeat": "nightly-backup",
    "ledger": "received",
    "timer": "escalation-INC-42-1",
}

# A field whose type alone would give a meaningless value.
BY_NAME: dict[str, Any] = {
    "action_id": "act-5h6j7k8m9n",
    "address": "ada@example.org",
    "alert_key": "3f9c1d2e4b5a6978c0d1",
    "annotations": {"runbook_url": "https://runbooks.example.org/checkout", "summary": "p99 latency above 2 s"},
    "document_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "due_on": "2026-12-01",
    "event_id": derived_event_id("golden", "retracted"),
    "event_seq": 1042,
    "event_stream": "page.pg-9k4m2n7pq3",
    "event_type": "page.answered",
    "evidence": "https://grafana.example.org/d/checkout",
    "error": "connection refused by 127.0.0.1:25",
    "fingerprint": "b3c1f0a29d8e7c64",
    "from_incident_id": "INC-43",
    "incident_id": "INC-42",
    "integration": "key-alertmanager",
    "into_incident_id": "INC-41",
    "labels": {"alertname": "CheckoutLatency", "service": "checkout"},
    "members": (ADA, BOB),
    "owner_id": ADA,
    "page_ids": ("pg-9k4m2n7pq3",),
    "person_id": ADA,
    "previous_person_id": BOB,
    "scope": "checkout",
    "sealed": "bm9uY2UtYW5kLWNpcGhlcnRleHQ=",
    "secret_sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "sender": "alertmanager",
    "service": "checkout",
    "source_subject": "intake.alertmanager",
    "target": "rotation.primary",
    "targets": ("rotation.primary", f"person.{BOB}"),
    "title": "Checkout latency “p99” > 2 s",
    "zone": "Europe/Warsaw",
}


def example(kind: type[Fact], *, full: bool) -> tuple[str, Event]:
    """The stream and event of an example: with every field of fact and envelope, or with the required ones alone."""
    tag, category = tag_of(kind), category_of(kind)
    circumstances = (
        {
            "actor": ADA,
            "auth_id": "tok-4d5e6f7g8h",
            "causation_id": derived_event_id("golden", tag, "cause"),
            "correlation_id": "INC-42",
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "happened_earliest": NOON.replace(minute=0, second=0, microsecond=0),
            "happened_latest": NOON.replace(minute=5),
        }
        if full
        else {}
    )
    event = Event(
        id=derived_event_id("golden", tag, "full" if full else "minimal"),
        fact=_filled(kind, full=full),
        happened_at=NOON,
        source=f"recount/{category}",
        **circumstances,
    )
    return f"{category}.{IDENTIFIERS[category]}", event


def golden_bytes(kind: type[Fact]) -> tuple[bytes, bytes]:
    """Today's bytes of the full and the minimal example."""
    return encode(*example(kind, full=True))[1], encode(*example(kind, full=False))[1]


def golden_file(kind: type[Fact]) -> Path:
    """Where the bytes of a fact are pinned."""
    return GOLDEN / f"{tag_of(kind)}.jsonl"


def golden_lines(kind: type[Fact]) -> list[bytes]:
    """The pinned bytes of a fact, oldest first; none when it has no file yet."""
    file = golden_file(kind)
    return file.read_bytes().splitlines() if file.exists() else []


def write_golden_files() -> int:
    """Add the lines that are missing. Returns how many."""
    GOLDEN.mkdir(exist_ok=True)
    added = 0
    for kind in FACT_TYPES.values():
        pinned = golden_lines(kind)
        missing = [line for line in golden_bytes(kind) if line not in pinned]
        if missing:
            golden_file(kind).write_bytes(b"".join(line + b"\n" for line in pinned + missing))
        added += len(missing)
    return added


def _filled(kind: type[msgspec.Struct], *, full: bool) -> Any:
    hints = get_type_hints(kind)
    return kind(
        **{
            field.name: _value(hints[field.name], field.name, full=full)
            for field in msgspec.structs.fields(kind)
            if full or field.required
        }
    )


def _value(hint: Any, name: str, *, full: bool) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _value(next(part for part in arguments if part is not NoneType), name, full=full)
    if origin is Literal:
        return arguments[0]
    if name in BY_NAME:
        return BY_NAME[name]
    if origin is tuple:
        return (_value(arguments[0], name, full=full),)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _filled(hint, full=full)
    samples: dict[Any, Any] = {str: f"the {name.replace('_', ' ')}", int: 3, bool: True, datetime: NOON}
    return samples[hint]


if __name__ == "__main__":
    sys.stdout.write(f"{write_golden_files()} lines added to {GOLDEN}\n")
