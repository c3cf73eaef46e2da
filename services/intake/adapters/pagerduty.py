"""PagerDuty Events API v2 (developer.pagerduty.com/docs/send-alert-event), with byte-compatible answers.

An alert is identified by its ``dedup_key`` within the routing key. An occurrence has no time of its own: the order in
which events arrive decides.
"""

import re
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply, Request, Route
from services.intake.payload import UNREADABLE
from services.intake.signal import Signal, State, lenient_moment, severity_of, words

# Bytes; PagerDuty's own limit of an event.
EVENT_BYTES_MAX = 512 * 1024
# Characters; PagerDuty's own limits.
DEDUP_KEY_LENGTH_MAX = 255
DEDUP_KEY_HEADER = "recount-dedup-key"

_STATES: dict[str, State] = {"trigger": "firing", "acknowledge": "acknowledged", "resolve": "resolved"}
_SEVERITIES = ("critical", "warning", "error", "info")
# Also in a payload that is not JSON, so that it can be kept as a dead letter of the key that it names.
_ROUTING_KEY = re.compile(rb'"routing_key"\s*:\s*"([A-Za-z0-9_-]{1,128})"')


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """An event, checked."""

    state: State
    dedup_key: str
    payload: dict[str, Any]
    links: list[Any]
    images: list[Any]
    client: str
    client_url: str


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    try:
        event = msgspec.json.decode(receipt.body)
    except UNREADABLE as error:
        raise InvalidPayload(f"Event object is not valid JSON: {error}") from error
    if not isinstance(event, dict):
        raise InvalidPayload("Event object must be a JSON object")
    errors = list(_faults(event))
    if errors:
        raise InvalidPayload(*errors)
    return Payload(
        state=_STATES[event["event_action"]],
        dedup_key=event.get("dedup_key") or receipt.headers.get(DEDUP_KEY_HEADER, ""),
        payload=event.get("payload") or {},
        links=_listed(event.get("links")),
        images=_listed(event.get("images")),
        client=words(event.get("client")),
        client_url=words(event.get("client_url")),
    )


def _faults(event: dict[str, Any]) -> list[str]:
    errors: list[str] = []
    action = event.get("event_action")
    if not action:
        errors.append("'event_action' is missing or blank")
    elif not isinstance(action, str) or action not in _STATES:
        errors.append("'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
    dedup_key = event.get("dedup_key")
    if dedup_key is not None and not isinstance(dedup_key, str):
        errors.append("'dedup_key' must be a string")
    elif len(dedup_key or "") > DEDUP_KEY_LENGTH_MAX:
        errors.append(f"Length of 'dedup_key' is incorrect (should be at most {DEDUP_KEY_LENGTH_MAX} characters)")
    elif not dedup_key and action in ("acknowledge", "resolve"):
        errors.append("'dedup_key' is missing or blank")
    payload = event.get("payload")
    if payload is not None and not isinstance(payload, dict):
        errors.append("'payload' must be an object")
    elif action == "trigger":
        errors += _payload_faults(payload or {})
    return errors


def _payload_faults(payload: dict[str, Any]) -> list[str]:
    errors = [
        f"'payload.{field}' is missing or blank"
        for field in ("summary", "source")
        if not isinstance(payload.get(field), str) or not payload[field].strip()
    ]
    severity = payload.get("severity")
    if not severity:
        errors.append("'payload.severity' is missing or blank")
    elif severity not in _SEVERITIES:
        errors.append(
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
        )
    return errors


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    said = payload.payload
    details = said.get("custom_details")
    annotations = {f"link_{number}": words(link) for number, link in enumerate(payload.links, start=1)}
    annotations |= {f"image_{number}": words(image) for number, image in enumerate(payload.images, start=1)}
    if isinstance(details, dict):
        annotations |= {f"custom_{name}": words(value) for name, value in details.items()}
    elif details:
        annotations["custom_details"] = words(details)
    if payload.client:
        annotations["client"] = payload.client
    labels = {
        name: words(said[name]) for name in ("source", "component", "group", "class", "severity") if said.get(name)
    }
    return (
        Signal(
            state=payload.state,
            fingerprint=payload.dedup_key,
            title=words(said.get("summary")),
            severity=severity_of(words(said.get("severity"))),
            service=words(details.get("service") if isinstance(details, dict) else "") or labels.get("component", ""),
            labels=labels,
            annotations=annotations,
            url=payload.client_url or _first_link(payload.links),
            observed_at=lenient_moment(words(said.get("timestamp"))),
        ),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _first_link(links: list[Any]) -> str:
    return next((words(link.get("href")) for link in links if isinstance(link, dict) and link.get("href")), "")


def _prepare(payload: Payload, receipt: Receipt, made_up: str) -> Receipt:
    """A trigger without a key gets one, which the answer returns and the receipt keeps."""
    if payload.dedup_key:
        return receipt
    return msgspec.structs.replace(receipt, headers={**receipt.headers, DEDUP_KEY_HEADER: made_up})


def _secret_in_body(body: bytes) -> str:
    try:
        event = msgspec.json.decode(body)
    except UNREADABLE:
        found = _ROUTING_KEY.search(body)
        return found[1].decode() if found else ""
    key = event.get("routing_key") if isinstance(event, dict) else ""
    return key if isinstance(key, str) else ""


def _secret_in_request(request: Request) -> str:
    # Older clients of PagerDuty (pdpyras) put the key here and nowhere else.
    return request.headers.get("x-routing-key", "")


def _accepted(payload: Payload, receipt: Receipt) -> Reply:
    answer = {
        "status": "success",
        "message": "Event processed",
        "dedup_key": payload.dedup_key or receipt.headers[DEDUP_KEY_HEADER],
    }
    return Reply(202, msgspec.json.encode(answer))


def _invalid(*errors: str, status: int = 400) -> Reply:
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return Reply(status, msgspec.json.encode(answer))


def _refused(status: int, because: str) -> Reply:
    if status in (401, 403):
        # PagerDuty has one answer for every key that it does not take.
        return _invalid("Invalid routing key")
    if status == 413:
        return _invalid(f"Event object exceeds {EVENT_BYTES_MAX} bytes", status=413)
    return Reply(status, msgspec.json.encode({"status": "error", "message": because, "errors": [because]}))


ADAPTER = Adapter(
    name="pagerduty",
    parse=parse,
    signals=signals,
    accepted=_accepted,
    invalid=lambda problem: _invalid(*problem.errors, status=problem.status),
    refused=_refused,
    prepare=_prepare,
    routes=(Route("POST", "/v2/enqueue"),),
    secret_in_body=_secret_in_body,
    secret_in_request=_secret_in_request,
    body_bytes_max=EVENT_BYTES_MAX,
)
