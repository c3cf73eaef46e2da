"""Opsgenie Alert API v2 and heartbeat pings (docs.opsgenie.com/docs/alert-api, /docs/heartbeat-api).

Change the base address of a client to Recount's and leave the rest: ``Authorization: GenieKey <key>``, or ``?apiKey=``.
An alert is identified by its ``alias``, an occurrence by the order in which requests arrive; ``id`` and ``tinyId`` are
made from the alias, so that each leads back to the same alert without anything being looked up.

=========================================  =============================================================
``POST /v2/alerts``                        fires
``…/{identifier}/acknowledge, close``      acknowledges, clears; ``DELETE /v2/alerts/{identifier}`` clears
``…/{identifier}/snooze, notes``           snoozes; becomes a note
``…/{identifier}/unacknowledge``, others   become notes: what they change has its home in Recount
``…/{identifier}/attachments``             is answered 404: a file has its place beside the incident
``/v2/heartbeats/{name}/ping``             pings
=========================================  =============================================================

Priority P1 to P5 is critical, error, warning, info and info, and stays a label; without one the detail ``severity``
counts. Everything is answered 202 with a ``requestId``; what became of it is asked at ``GET /v2/alerts/requests/{id}``
(`services.intake.answers.opsgenie`). Clients try 429 and 5xx again.
"""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply, Request, Route
from services.intake.payload import UNREADABLE
from services.intake.routing import Target, query_fields, target_of
from services.intake.signal import Ping, Said, Signal, State, lenient_moment, severity_of, words

REQUEST_ID_HEADER = "recount-request-id"
"""Header of a receipt with the ``requestId`` that was answered."""

# Characters; Opsgenie's own limits. Longer is refused.
ALIAS_LENGTH_MAX = 512
DESCRIPTION_LENGTH_MAX = 15_000
NOTE_LENGTH_MAX = 25_000

CREATE = "/v2/alerts"
ACT = "/v2/alerts/{identifier}/{action}"
ALERT = "/v2/alerts/{identifier}"
PING = "/v2/heartbeats/{name}/ping"

_SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info", "P5": "info"}
_KINDS = ("id", "alias", "tiny")
_STATES: dict[str, State] = {"acknowledge": "acknowledged", "close": "resolved", "snooze": "snoozed", "notes": "noted"}
# What clients do to an alert that Recount has another place for, and the word for it in a note.
_NOTED = {
    "unacknowledge": "no longer acknowledged",
    "escalate": "escalated",
    "assign": "assigned",
    "responders": "responders added",
    "teams": "teams added",
    "tags": "tags added",
    "details": "details added",
    "message": "message changed",
    "description": "description changed",
    "priority": "priority changed",
}
_CHANGED_BY_PUT = ("message", "description", "priority")
_REMOVED_BY_DELETE = {"tags": "tags removed", "details": "details removed"}
_NO_FILES = "attachments are not taken; put the address of the file into a note"
_TINY = re.compile(r"[0-9]{1,20}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a creation. Fields beyond these are ignored."""

    message: str = ""
    alias: Annotated[str, msgspec.Meta(max_length=ALIAS_LENGTH_MAX)] | None = None
    description: Annotated[str, msgspec.Meta(max_length=DESCRIPTION_LENGTH_MAX)] | None = None
    responders: Any = None
    tags: list[Any] | None = None
    details: dict[str, Any] | None = None
    entity: str | None = None
    source: str | None = None
    priority: Literal["P1", "P2", "P3", "P4", "P5"] | None = None
    user: str | None = None
    note: Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)] | None = None


class Act(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of what is done to an alert."""

    user: str | None = None
    source: str | None = None
    note: Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)] | None = None
    end_time: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, checked."""

    action: str
    """``create``, ``ping``, ``delete`` or the last word of the address."""
    target: Target
    alert: Alert = Alert()
    act: Act = Act()
    until_at: datetime | None = None
    said: str = ""
    """The body of an act as it is noted."""


_ALERT = msgspec.json.Decoder(Alert)
_ACT = msgspec.json.Decoder(Act)


def parse(receipt: Receipt) -> Asked:
    """See `Adapter.parse`."""
    target = target_of(receipt, ADAPTER.routes)
    try:
        if target.template == PING:
            return Asked(action="ping", target=target)
        if target.template == ALERT:
            _alert_id(target)
            return Asked(action="delete", target=target)
        if target.template == ACT:
            return _act(receipt, target)
        return _creation(receipt, target)
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"Request body is not valid: {error}", status=422) from error
    except UNREADABLE as error:
        raise InvalidPayload(f"Request body is not processable. Please check it. {error}", status=400) from error


def _creation(receipt: Receipt, target: Target) -> Asked:
    alert = _ALERT.decode(receipt.body)
    if not alert.message.strip():
        raise InvalidPayload("message can not be empty", status=422)
    return Asked(action="create", target=target, alert=alert)


def _act(receipt: Receipt, target: Target) -> Asked:
    action = target.parameters["action"]
    if action == "attachments":
        raise InvalidPayload(_NO_FILES, status=404)
    by_method = {"PUT": _CHANGED_BY_PUT, "DELETE": _REMOVED_BY_DELETE}
    others = [name for name in (*_STATES, *_NOTED) if name not in _CHANGED_BY_PUT]
    if action not in by_method.get(target.method, others):
        # As for an address that does not exist; kept, so that it can be told once it is understood.
        raise InvalidPayload(f"{target.method} …/{action[:40]} is not understood", status=404)
    _alert_id(target)
    if target.method == "DELETE":
        # What is removed stands in the query.
        removed = {name: value for name, value in target.query.items() if name in ("tags", "keys")}
        act = msgspec.convert({name: target.query.get(name) for name in ("user", "source", "note")}, Act)
        return Asked(action=action, target=target, act=act, said=words(removed) if removed else "")
    act = _ACT.decode(receipt.body) if receipt.body.strip() else Act()
    until_at = lenient_moment(act.end_time or "")
    if action == "snooze" and until_at is None:
        raise InvalidPayload("endTime is missing or no time in ISO 8601", status=422)
    if action == "notes" and not (act.note or "").strip():
        raise InvalidPayload("note can not be empty", status=422)
    said = _noted(receipt.body) if action in _NOTED else ""
    return Asked(action=action, target=target, act=act, until_at=until_at, said=said)


def _noted(body: bytes) -> str:
    fields = msgspec.json.decode(body) if body.strip() else {}
    own = ("user", "source", "note")
    told = {name: value for name, value in fields.items() if name not in own} if isinstance(fields, dict) else {}
    return words(told) if told else ""


def signals(asked: Asked, receipt: Receipt) -> tuple[Said, ...]:
    """See `Adapter.signals`."""
    if asked.action == "ping":
        return (Ping(heartbeat_id=asked.target.parameters["name"]),)
    identity = alert_id(asked, receipt)
    if asked.action == "create":
        return _fired(asked.alert, identity)
    note, author = asked.act.note or "", asked.act.user or asked.act.source or ""
    if asked.action in _NOTED:
        done = (_REMOVED_BY_DELETE if asked.target.method == "DELETE" else _NOTED)[asked.action]
        note = ": ".join(part for part in (done, asked.said, note) if part)
    state: State = "resolved" if asked.action == "delete" else _STATES.get(asked.action, "noted")
    act = Signal(state=state, fingerprint=identity, note=note, author=author, until_at=asked.until_at)
    if not note or state == "noted":
        return (act,)
    # A note that comes with something else is told first, while the alert fires still.
    return (msgspec.structs.replace(act, state="noted", until_at=None), msgspec.structs.replace(act, note=""))


def _fired(alert: Alert, identity: str) -> tuple[Signal, ...]:
    details = {name: words(value) for name, value in (alert.details or {}).items()}
    labels = dict(details)
    named = {"entity": alert.entity, "source": alert.source, "priority": alert.priority}
    labels |= {name: value for name, value in named.items() if value}
    if alert.tags:
        labels["tags"] = ",".join(words(tag) for tag in alert.tags)
    annotations = {"description": alert.description, "alias": alert.alias, "user": alert.user}
    kept = {name: value for name, value in annotations.items() if value}
    if alert.responders:
        kept["responders"] = words(alert.responders)
    word = _SEVERITIES.get(alert.priority or "", details.get("severity", ""))
    fired = Signal(
        state="firing",
        fingerprint=identity,
        title=alert.message,
        severity=severity_of(word),
        service=details.get("service", "") or alert.entity or "",
        labels=labels,
        annotations=kept,
    )
    if not alert.note:
        return (fired,)
    return (fired, Signal(state="noted", fingerprint=identity, note=alert.note, author=alert.user or ""))


def alert_id(asked: Asked, receipt: Receipt) -> str:
    """The id of the alert that a request is about: a UUID."""
    if asked.action != "create":
        return _alert_id(asked.target)
    # Without an alias each request creates an alert of its own, whose id is its alias.
    return id_of_alias(asked.alert.alias or "") if asked.alert.alias else id_of_alias(request_id(receipt))


def _alert_id(target: Target) -> str:
    identifier = target.parameters["identifier"]
    kind = target.query.get("identifierType", "id").lower()
    if kind not in _KINDS:
        raise InvalidPayload(f"identifierType must be one of {', '.join(_KINDS)}", status=422)
    if kind == "alias" and not _is_own(identifier):
        return id_of_alias(identifier)
    if kind == "tiny":
        if not _TINY.fullmatch(identifier) or int(identifier) >= 2**64:
            raise InvalidPayload("a tiny id is a number", status=422)
        return _id(int(identifier))
    return identifier if _is_own(identifier) else id_of_alias(identifier)


def id_of_alias(alias: str) -> str:
    """The id that an alias gets."""
    return _id(int.from_bytes(hashlib.sha256(alias.encode()).digest()[:8], "big"))


def tiny_id(identity: str) -> str:
    """The short id of an alert."""
    return str(_head(identity))


def _id(number: int) -> str:
    # The second half is made from the first: an id leads to its tiny id and back, and a foreign one is told from ours.
    head = number.to_bytes(8, "big")
    return _dashed(head.hex() + hashlib.sha256(b"recount alert" + head).hexdigest()[:16])


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def _head(identity: str) -> int:
    return int(identity.replace("-", "")[:16], 16)


def _is_own(identifier: str) -> bool:
    return _ID.fullmatch(identifier) is not None and _id(_head(identifier)) == identifier


def request_id(receipt: Receipt) -> str:
    """The ``requestId`` that was answered."""
    return receipt.headers.get(REQUEST_ID_HEADER, "")


def _prepare(_asked: Asked, receipt: Receipt, made_up: str) -> Receipt:
    """Give the request its id: 48 bits of when it came, in milliseconds, so that it is found again, and random ones."""
    milliseconds = int(receipt.received_at.timestamp() * 1_000)
    made = _dashed(f"{milliseconds:012x}{made_up[:20]}")
    return msgspec.structs.replace(receipt, headers={**receipt.headers, REQUEST_ID_HEADER: made})


def _secret_in_request(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "geniekey":
        return secret.strip()
    return query_fields(request.query).get("apiKey", "")


def _accepted(asked: Asked, receipt: Receipt) -> Reply:
    result = "PONG - Heartbeat received" if asked.action == "ping" else "Request will be processed"
    answer = {"result": result, "took": 0.0, "requestId": request_id(receipt)}
    return Reply(202, msgspec.json.encode(answer))


def refused(status: int, because: str) -> Reply:
    """An error in Opsgenie's words."""
    answer: dict[str, Any] = {"message": because, "took": 0.0, "requestId": ""}
    if status == 403:
        answer["code"] = 40301
    return Reply(status, msgspec.json.encode(answer))


ADAPTER = Adapter(
    name="opsgenie",
    parse=parse,
    signals=signals,
    accepted=_accepted,
    invalid=lambda problem: refused(problem.status, str(problem)),
    refused=refused,
    invalid_statuses=(400, 404, 422),
    prepare=_prepare,
    routes=(
        Route("POST", CREATE),
        Route("POST", ACT),
        Route("PUT", ACT),
        Route("DELETE", ACT),
        Route("DELETE", ALERT),
        *(Route(method, PING) for method in ("GET", "POST", "PUT", "PATCH")),
    ),
    secret_in_request=_secret_in_request,
)
