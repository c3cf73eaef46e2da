"""Uptime Kuma, the notification type Webhook with a body of JSON or form data (its notification-providers/webhook.js).

``{heartbeat, monitor, msg}``; as a form the same JSON is the field ``data``, with the method GET each is a field of the
query. Kuma takes any 2xx and does not try again.
The alert is the monitor. While it is down it may be told again and again with another time, so a down begins nothing.

Two messages come without a heartbeat: the button Test (``<name> Testing``), which says nothing, and the warning that a
certificate or a domain expires, which is an alert that nothing ever resolves.
"""

import re
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Route
from services.intake.payload import (
    UNREADABLE,
    accepted,
    as_parsed,
    at,
    identity,
    object_of,
    require_object,
    said,
    text_at,
)
from services.intake.routing import target_of
from services.intake.signal import Signal, State, lenient_moment

_NAME = "an Uptime Kuma notification"
_ROUTES = (Route("GET", "/hooks/uptime_kuma"),)
# server/util.js and src/util.ts: DOWN 0, UP 1, PENDING 2, MAINTENANCE 3.
_SILENT = ("2", "3")
_TEST = re.compile(r".* Testing", re.DOTALL)
# "will expire in 14 days": the same certificate is the same alert on every day.
_NUMBER = re.compile(r"\b\d+ days?\b")


class Payload(msgspec.Struct, frozen=True):
    """A notification, checked."""

    status: str
    """Of the heartbeat; empty where there is none."""
    monitor_id: str
    message: str
    whole: dict[str, Any]


def parse(receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.parse`."""
    return _signals(_checked(_whole(receipt)))


def _checked(whole: dict[str, Any]) -> Payload:
    heartbeat, message = whole.get("heartbeat"), text_at(whole, "msg")
    if heartbeat is None:
        if not message:
            raise InvalidPayload("heartbeat is null and msg is empty")
        return Payload("", "", message, whole)
    status = text_at(heartbeat, "status")
    monitor_id = text_at(heartbeat, "monitorID") or text_at(whole, "monitor", "id")
    errors = [] if monitor_id else ["heartbeat.monitorID is missing"]
    if not status:
        errors.append("heartbeat.status is missing")
    if errors:
        raise InvalidPayload(*errors)
    return Payload(status, monitor_id, message, whole)


def _whole(receipt: Receipt) -> dict[str, Any]:
    target = target_of(receipt, _ROUTES)
    if target.template:
        texts = {name: text for name, text in target.query.items() if name in ("heartbeat", "monitor")}
        return {"msg": target.query.get("msg", "")} | {name: _object(text.encode()) for name, text in texts.items()}
    kind = receipt.content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        body = b"content-type: " + receipt.content_type.encode("latin-1", "replace") + b"\r\n\r\n" + receipt.body
        form = BytesParser(policy=policy.HTTP).parsebytes(body)
        parts = form.iter_parts() if form.is_multipart() else ()
        found = [part for part in parts if part.get_param("name", header="content-disposition") == "data"]
        field = found[0].get_payload(decode=True) if found else None
    elif kind == "application/x-www-form-urlencoded":
        field = "".join(parse_qs(receipt.body.decode("utf-8", "replace")).get("data", [])[:1]).encode()
    else:
        return object_of(receipt, _NAME)
    if not isinstance(field, bytes) or not field:
        raise InvalidPayload(f"not {_NAME}: the form has no field data")
    return _object(field)


def _object(text: bytes) -> dict[str, Any]:
    try:
        return require_object(msgspec.json.decode(text), _NAME)
    except UNREADABLE as error:
        raise InvalidPayload(f"not {_NAME}: a field is not JSON: {error}") from error


def _signals(payload: Payload) -> tuple[Signal, ...]:
    if not payload.status:
        return () if _TEST.fullmatch(payload.message) else (_expiry(payload),)
    if payload.status in _SILENT:
        return ()
    monitor = at(payload.whole, "monitor")
    name = text_at(monitor, "name") or f"monitor {payload.monitor_id}"
    # A status that we do not know is taken as down: a monitor must not be able to go silent by it.
    state: State = "resolved" if payload.status == "1" else "firing"
    # Kuma stores UTC without a zone.
    told_at = lenient_moment(text_at(payload.whole, "heartbeat", "time"))
    labels = {"monitor": name, "monitor_id": payload.monitor_id, "type": text_at(monitor, "type")}
    labels |= {"hostname": text_at(monitor, "hostname"), "port": text_at(monitor, "port")}
    tags = at(monitor, "tags")
    tagged = {text_at(tag, "name"): text_at(tag, "value") for tag in (tags if isinstance(tags, list) else [])}
    url = text_at(monitor, "url")
    return (
        Signal(
            state=state,
            fingerprint=f"monitor:{payload.monitor_id}",
            title=f"{name} is down",
            severity="error",
            service=tagged.get("service", ""),
            labels=said({key: value for key, value in tagged.items() if key} | labels),
            annotations=said(
                {
                    "message": text_at(payload.whole, "heartbeat", "msg"),
                    "description": text_at(monitor, "description"),
                    "ping_ms": text_at(payload.whole, "heartbeat", "ping"),
                }
            ),
            url=url if url not in ("http://", "https://") else "",
            ended_at=told_at if state == "resolved" else None,
            observed_at=told_at,
        ),
    )


def _expiry(payload: Payload) -> Signal:
    return Signal(
        state="firing",
        fingerprint=identity("message:", _NUMBER.sub("days", payload.message)),
        title=payload.message,
        severity="warning",
        labels=said({"monitor": text_at(payload.whole, "monitor", "name")}),
    )


ADAPTER = Adapter(
    name="uptime_kuma",
    parse=parse,
    signals=as_parsed,
    accepted=lambda parsed, _receipt: accepted(len(parsed)),
    routes=_ROUTES,
)
