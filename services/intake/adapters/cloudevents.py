"""CloudEvents 1.0 over HTTP and NATS: structured, binary and batched mode (CloudEvents HTTP and NATS bindings 1.0.2).

Any event can be an alert. Where ``data`` is a JSON object it is read as the plain schema (`json`): ``title``,
``state``, ``key``, ``severity``, ``service``, ``labels``, ``url``, ``started_at``, ``ended_at``. What it does not say
comes from the attributes:

=============  =======================================================================================
key            ``source`` and ``subject``, or ``source`` and the type without its last word
state          the last word of ``type``: ``com.example.disk.resolved``; ``firing`` when it is no state
title          ``data.summary``, else ``subject`` or ``type``
severity       the extension ``severitytext``
labels         ``ce_source``, ``ce_type`` and ``ce_subject`` are added
observed       ``time``
=============  =======================================================================================

An event that was not written for Recount may have fields of these names with another meaning. What is no text, object
or time where the schema has one is passed over, and a ``state`` of no known word fires and stays a label.
"""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.adapters.json import STATES, Alert, faults, signal_of
from services.intake.payload import UNREADABLE
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, moment

# Events of at most 64 KiB, which the specification asks everybody to take, until the body is full.
EVENTS_PER_BATCH_MAX = 1_000

STRUCTURED = "application/cloudevents"
BATCHED = "application/cloudevents-batch"


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event. Extension attributes that we do not use are ignored."""

    specversion: str
    id: Annotated[str, msgspec.Meta(min_length=1)]
    source: Annotated[str, msgspec.Meta(min_length=1)]
    type: Annotated[str, msgspec.Meta(min_length=1)]
    subject: str | None = None
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    datacontenttype: str | None = None
    severitytext: str | None = None
    data: Any = None
    data_base64: str | None = None


class _Event(msgspec.Struct, frozen=True):
    event: CloudEvent
    alert: Alert


_FIELDS = msgspec.structs.fields(Alert)
_ONE = msgspec.json.Decoder(CloudEvent)
_MANY = msgspec.json.Decoder(list[CloudEvent])


def parse(receipt: Receipt) -> list[_Event]:
    """See `Adapter.parse`."""
    parsed = [_Event(event, _alert(event)) for event in events_of(receipt)]
    errors = [fault for one in parsed for fault in faults(one.alert, one.event.id)]
    if errors:
        raise InvalidPayload(*errors)
    return parsed


def events_of(receipt: Receipt) -> list[CloudEvent]:
    """The events of a payload, whatever their data is.

    Raises:
        InvalidPayload: it is none of the three modes, or not CloudEvents 1.0.
    """
    try:
        events = _events(receipt)
    except UNREADABLE as error:
        raise InvalidPayload(f"not a CloudEvent: {error}") from error
    errors = [fault for event in events for fault in _event_faults(event)]
    if errors:
        raise InvalidPayload(*errors)
    return events


def _events(receipt: Receipt) -> list[CloudEvent]:
    kind = receipt.content_type.partition(";")[0].strip().lower()
    # The batch prefix is tested first, because it starts with the other one.
    if kind.startswith(BATCHED):
        _require_json(kind, BATCHED)
        events = _MANY.decode(receipt.body)
        if len(events) > EVENTS_PER_BATCH_MAX:
            raise InvalidPayload(f"{len(events)} events in one batch; at most {EVENTS_PER_BATCH_MAX}", status=413)
        return events
    if kind.startswith(STRUCTURED):
        _require_json(kind, STRUCTURED)
        return [_ONE.decode(receipt.body)]
    return [_binary(receipt, kind)]


def _require_json(kind: str, prefix: str) -> None:
    if kind not in (prefix, f"{prefix}+json"):
        raise InvalidPayload(f"{kind} is not understood; send {prefix}+json", status=415)


def _binary(receipt: Receipt, kind: str) -> CloudEvent:
    attributes: dict[str, Any] = {
        name.removeprefix("ce-"): _unquoted(name, value)
        for name, value in receipt.headers.items()
        if name.startswith("ce-")
    }
    if "specversion" not in attributes:
        raise InvalidPayload(
            f"neither {STRUCTURED}+json nor {BATCHED}+json nor ce- headers with {kind or 'no content type'}", status=415
        )
    attributes["datacontenttype"] = kind or None
    if not receipt.body:
        attributes["data"] = None
    elif kind in ("", "application/json", "text/json") or kind.endswith("+json"):
        attributes["data"] = msgspec.json.decode(receipt.body)
    else:
        attributes["data"] = receipt.body.decode("utf-8", "replace")
    return msgspec.convert(attributes, CloudEvent)


def _unquoted(name: str, value: str) -> str:
    # Overlong and otherwise malformed UTF-8 must be rejected (HTTP binding 3.1.3.2); a strict decoder does.
    try:
        return unquote_to_bytes(value.strip('"')).decode()
    except UnicodeDecodeError as error:
        raise InvalidPayload(f"header {name} is not percent-encoded UTF-8") from error


def _event_faults(event: CloudEvent) -> list[str]:
    if event.specversion != "1.0":
        return [f"{event.id}: specversion {event.specversion!r} is not 1.0"]
    return []


def _alert(event: CloudEvent) -> Alert:
    said: dict[str, Any] = event.data if isinstance(event.data, dict) else {}
    alert = _as_alert(said)
    stem, _, last = event.type.rpartition(".")
    has_state = last.lower() in STATES
    key = f"{event.source} {event.subject or (stem if has_state else event.type)}"
    summary = said.get("summary")
    labels = {"ce_source": event.source, "ce_type": event.type}
    if event.subject:
        labels["ce_subject"] = event.subject
    state = last if has_state else "firing"
    if alert.state.strip().lower() in STATES:
        state = alert.state if "state" in said else state
    else:
        labels["state"] = alert.state
    text = event.data if isinstance(event.data, str) else ""
    return msgspec.structs.replace(
        alert,
        key=alert.key or key[:FINGERPRINT_LENGTH_MAX],
        state=state,
        title=alert.title or (summary if isinstance(summary, str) else "") or event.subject or event.type,
        severity=alert.severity or event.severitytext or "",
        labels={**alert.labels, **labels},
        description=alert.description or text,
    )


def _as_alert(said: dict[str, Any]) -> Alert:
    """The fields that are what the plain schema says."""
    fields: dict[str, Any] = {}
    for field in _FIELDS:
        with suppress(msgspec.ValidationError):
            if field.name in said:
                fields[field.name] = msgspec.convert(said[field.name], field.type)
    return Alert(**fields)


def signals(parsed: list[_Event], _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    return tuple(msgspec.structs.replace(signal_of(one.alert), observed_at=moment(one.event.time)) for one in parsed)


ADAPTER = Adapter(
    name="cloudevents",
    parse=parse,
    signals=signals,
    # Accepted, not processed yet, and nothing to say (HTTP Web Hooks 1.0.2, section 2.2).
    accepted=lambda _parsed, _receipt: Reply(202),
    invalid_statuses=(400, 413, 415),
    headers_kept=("ce-",),
)
