"""What Opsgenie's API tells: what became of a request, an alert, and a heartbeat.

A request that has not been translated yet is answered 404, as by Opsgenie, whose clients then ask again.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from events.receipt import Receipt
from events.recorded import Recorded
from services.heartbeat import heartbeat_id, heartbeat_of
from services.intake.adapters import TARGET_HEADER, InvalidPayload, Reply, Route
from services.intake.adapters.opsgenie import (
    ADAPTER,
    REQUEST_ID_HEADER,
    alert_id,
    parse,
    refused,
    tiny_id,
)
from services.intake.adapters.opsgenie import (
    Asked as Request,
)
from services.intake.alert_state import AlertState, fold
from services.intake.answers import Answered, Asked
from services.intake.signal import Signal
from services.intake.translator import alert_key

_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Units of a heartbeat's interval, the longest that fits first.
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))

_DONE = {
    "create": "Created alert",
    "acknowledge": "Acknowledged alert",
    "close": "Closed alert",
    "delete": "Deleted alert",
    "snooze": "Snoozed alert",
    "notes": "Added note to alert",
}


async def request_status(asked: Asked) -> Reply:
    """``GET /v2/alerts/requests/{request_id}``."""
    text = asked.parameters["request_id"]
    receipt = await _receipt(asked, text)
    if receipt is None:
        return _not_found()
    try:
        request = parse(receipt)
    except InvalidPayload:
        # The sender was told at once, with another status.
        return _not_found()
    if request.action == "ping":
        return _not_found()
    identity = alert_id(request, receipt)
    history = await asked.log.read(f"alert.{_key(asked, identity)}")
    state, _version = fold(history)
    is_told = state.fired is not None and (
        request.action == "create" or any(getattr(one.fact, "receipt_seq", 0) == receipt.seq for one in history)
    )
    if not is_told and await asked.receipts.handled_through() < receipt.seq:
        return _not_found()
    if state.fired is None:
        return _told(_result(request, receipt, status="Alert does not exist", is_success=False), text)
    status = _DONE.get(request.action, "Request processed")
    return _told(_result(request, receipt, status=status, is_success=True, identity=identity, state=state), text)


def _not_found() -> Reply:
    return refused(404, "Request not found. It might not be processed, yet.")


async def _receipt(asked: Asked, request_id: str) -> Receipt | None:
    if not _REQUEST_ID.fullmatch(request_id):
        return None
    milliseconds = int(UUID(request_id).hex[:12], 16)
    try:
        since = datetime.fromtimestamp(milliseconds / 1_000, tz=UTC) - timedelta(milliseconds=1)
    except (ValueError, OverflowError, OSError):  # no id of ours: years after 9999
        return None
    if since > asked.at:
        return None
    return await asked.receipts.find(
        ADAPTER.name, asked.key.key_id, since=since, header=REQUEST_ID_HEADER, value=request_id
    )


def _result(
    request: Request,
    receipt: Receipt,
    *,
    status: str,
    is_success: bool,
    identity: str = "",
    state: AlertState | None = None,
) -> dict[str, Any]:
    action = request.action
    return {
        "success": is_success,
        "action": {"notes": "AddNote"}.get(action, action.capitalize()),
        "processedAt": _written(receipt.received_at),
        "integrationId": receipt.integration,
        "isSuccess": is_success,
        "status": status,
        "alertId": identity,
        "alias": _alias(state, identity),
    }


def _alias(state: AlertState | None, identity: str) -> str:
    return (state.fired.annotations.get("alias") if state and state.fired else None) or identity


async def alert(asked: Asked) -> Reply:
    """``GET /v2/alerts/{identifier}``."""
    target_fields = dict(asked.queries)
    try:
        request = parse(_looked_up(asked, target_fields))
    except InvalidPayload as problem:
        return refused(problem.status, str(problem))
    identity = alert_id(request, _looked_up(asked, target_fields))
    history = await asked.log.read(f"alert.{_key(asked, identity)}")
    state, _version = fold(history)
    if state.fired is None:
        return refused(404, "Alert does not exist with given identifier.")
    return _told(_alert(history, state, identity), "")


def _key(asked: Asked, identity: str) -> str:
    return alert_key(_looked_up(asked, {}), Signal(state="firing", fingerprint=identity))


def _looked_up(asked: Asked, fields: dict[str, str]) -> Receipt:
    """A request about the same alert, so that one place knows what identifies it."""
    kind = urlencode({"identifierType": fields.get("identifierType", "id")})
    target = f"DELETE /v2/alerts/{quote(asked.parameters.get('identifier', ''), safe='')}?{kind}"
    return Receipt(
        source=ADAPTER.name,
        integration=asked.key.key_id,
        received_at=asked.at,
        headers={TARGET_HEADER: target},
        body=b"",
    )


def _alert(history: list[Recorded], state: AlertState, identity: str) -> dict[str, Any]:
    fired = state.fired
    assert fired is not None, "an alert that is shown has fired"
    return {
        "id": identity,
        "tinyId": tiny_id(identity),
        "alias": _alias(state, identity),
        "message": state.title,
        "status": "open" if state.status in ("firing", "acknowledged") else "closed",
        "acknowledged": state.status == "acknowledged",
        "count": state.occurrence,
        "createdAt": _written(history[0].happened_at),
        "updatedAt": _written(history[-1].happened_at),
        "source": fired.labels.get("source", ""),
        "priority": fired.labels.get("priority", "P3"),
        "entity": fired.labels.get("entity", ""),
        "tags": [tag for tag in fired.labels.get("tags", "").split(",") if tag],
        "description": fired.annotations.get("description", ""),
    }


async def heartbeat_status(asked: Asked) -> Reply:
    """``GET /v2/heartbeats/{name}``."""
    name = asked.parameters["name"]
    heartbeat = heartbeat_of(await asked.log.read(f"heartbeat.{heartbeat_id(name)}"))
    configured = heartbeat.configured
    if configured is None:
        return refused(404, f"Heartbeat with name [{name[:200]}] not found")
    unit, seconds = next(
        ((unit, seconds) for unit, seconds in _UNITS if configured.every_s % seconds == 0), ("seconds", 1)
    )
    told = {
        "name": configured.name or name,
        "description": "",
        "interval": configured.every_s // seconds,
        "enabled": not configured.paused,
        "intervalUnit": unit,
        "expired": heartbeat.missed,
    }
    return _told(told, "")


def _told(data: dict[str, Any], request_id: str) -> Reply:
    return Reply(200, msgspec.json.encode({"data": data, "took": 0.0, "requestId": request_id}))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


ANSWERS = (
    Answered(route=Route("GET", "/v2/alerts/requests/{request_id}"), sender=ADAPTER.name, answer=request_status),
    Answered(route=Route("GET", "/v2/alerts/{identifier}"), sender=ADAPTER.name, answer=alert),
    Answered(route=Route("GET", "/v2/heartbeats/{name}"), sender=ADAPTER.name, answer=heartbeat_status),
)
