"""CDEvents (cdevents.dev, 0.3 to 0.6): what delivery pipelines say, as CloudEvents or as the bare JSON object.

* ``incident.detected``, ``incident.reported`` and ``incident.resolved`` are an alert: the incident's ``subject.id``
  within its source. CDEvents has no severity; ``customData.severity`` is taken, and ``error`` where it says none,
  because somebody called it an incident.
* ``deployment.*``, ``targetrollout.*``, ``migration.*``, ``service.*``, ``environment.*`` and ``change.merged`` are
  changes: they wake nobody, and are what a responder asks for first.
* The rest (builds, tests, tickets …) is taken and says nothing, so that a whole stream may be sent here.
"""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.adapters.cloudevents import events_of
from services.intake.payload import as_object, at, identity, json_of, said, text_at, unknown_severity
from services.intake.signal import Change, Said, Signal, lenient_moment, severity_of, words

_PREFIX = "dev.cdevents."
_INCIDENT = {"detected": "firing", "reported": "firing", "resolved": "resolved"}
# Subjects with a beginning and an end under one id. A service is deployed again and again under one id, so there each
# event is a change of its own.
_RUNS = ("deployment", "targetrollout", "migration")
_CHANGED = ("service", "environment")
_OUTCOMES = {"success": "finished", "failure": "failed", "error": "failed"}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event, checked."""

    id: str
    source: str
    subject: str
    """Such as ``incident``."""
    predicate: str
    """Such as ``detected``."""
    told_at: datetime | None
    body: dict[str, Any]
    """``context``, ``subject`` and ``customData``."""


def parse(receipt: Receipt) -> list[Event]:
    """See `Adapter.parse`."""
    kind = receipt.content_type.partition(";")[0].strip().lower()
    if kind.startswith("application/cloudevents") or "ce-specversion" in receipt.headers:
        bodies = [event.data for event in events_of(receipt)]
    else:
        bodies = [json_of(receipt, "a CDEvent")]
    events: list[Event] = []
    errors: list[str] = []
    for number, body in enumerate(bodies, start=1):
        kind = text_at(body, "context", "type")
        parts = kind.removeprefix(_PREFIX).split(".")
        fields = {name: text_at(body, "context", name) for name in ("id", "source")}
        missing = [f"context.{name}" for name, value in fields.items() if not value]
        missing += [] if text_at(body, "subject", "id") else ["subject.id"]
        if not kind.startswith(_PREFIX) or len(parts) < 3:
            errors.append(f"event {number}: context.type {kind[:80]!r} is no CDEvent; expected {_PREFIX}…")
        elif missing:
            errors.append(f"event {number}: {', '.join(missing)} missing")
        else:
            events.append(
                Event(
                    id=fields["id"],
                    source=fields["source"],
                    subject=parts[0].lower(),
                    predicate=parts[1].lower(),
                    told_at=lenient_moment(text_at(body, "context", "timestamp")),
                    body=body,
                )
            )
    if errors:
        raise InvalidPayload(*errors)
    return events


def signals(events: list[Event], _receipt: Receipt) -> tuple[Said, ...]:
    """See `Adapter.signals`."""
    return tuple(one for event in events if (one := _said(event)) is not None)


def _said(event: Event) -> Said | None:
    if event.subject == "incident":
        return _incident(event) if event.predicate in _INCIDENT else None
    is_change = event.subject in _RUNS + _CHANGED or (event.subject, event.predicate) == ("change", "merged")
    return _change(event) if is_change else None


def _incident(event: Event) -> Signal:
    custom = at(event.body, "customData")
    severity = text_at(custom, "severity")
    is_over = _INCIDENT[event.predicate] == "resolved"
    description = text_at(event.body, "subject", "content", "description")
    labels = _labels(event) | unknown_severity(severity)
    annotations = {f"custom_{name}": words(value) for name, value in as_object(custom).items()}
    return Signal(
        state="resolved" if is_over else "firing",
        fingerprint=identity(text_at(event.body, "subject", "source") or event.source, _id(event)),
        title=description or _id(event),
        severity=severity_of(severity) if severity else "error",
        service=text_at(event.body, "subject", "content", "service", "id"),
        labels=said(labels),
        annotations=said(annotations),
        url=text_at(event.body, "subject", "content", "ticketURI"),
        ended_at=event.told_at if is_over else None,
        observed_at=event.told_at,
    )


def _change(event: Event) -> Change:
    name, version = _artifact(event)
    service = _id(event) if event.subject == "service" else name
    is_run = event.subject in _RUNS
    kind = f"{event.subject}.{event.predicate}"
    about = service or text_at(event.body, "subject", "content", "repository", "id") or _id(event)
    return Change(
        external_id=identity(event.source, event.subject, _id(event), "" if is_run else event.id),
        title=f"{about}: {event.subject} {event.predicate}",
        kind=event.subject if is_run else kind,
        outcome=_outcome(event, is_run=is_run),
        service=service,
        environment=text_at(event.body, "subject", "content", "environment", "id"),
        version=version,
        labels=said(_labels(event)),
        url=text_at(event.body, "subject", "content", "uri"),
        happened_at=event.told_at,
    )


def _outcome(event: Event, *, is_run: bool) -> str:
    if not is_run:
        return "finished"
    if event.predicate != "finished":
        return event.predicate
    told = text_at(event.body, "subject", "content", "outcome").lower()
    return _OUTCOMES.get(told, told or "finished")


def _id(event: Event) -> str:
    return text_at(event.body, "subject", "id")


def _artifact(event: Event) -> tuple[str, str]:
    """Name and version of a package URL: ``pkg:oci/myapp@sha256%3A…?tag=1.4``."""
    path = text_at(event.body, "subject", "content", "artifactId").partition("?")[0].partition("#")[0]
    package, _, version = path.removeprefix("pkg:").rpartition("@") if "@" in path else (path, "", "")
    return unquote(package.rpartition("/")[2]) if path.startswith("pkg:") else "", unquote(version)


def _labels(event: Event) -> dict[str, str]:
    content = at(event.body, "subject", "content")
    return {
        "source": event.source,
        "environment": text_at(content, "environment", "id"),
        "artifact": text_at(content, "artifactId"),
        "repository": text_at(content, "repository", "id"),
        "chain_id": text_at(event.body, "context", "chainId"),
    }


ADAPTER = Adapter(
    name="cdevents",
    parse=parse,
    signals=signals,
    # As of CloudEvents: accepted, not processed yet, and nothing to say.
    accepted=lambda _events, _receipt: Reply(202),
    headers_kept=("ce-",),
)
