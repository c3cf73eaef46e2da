"""What Opsgenie's API tells: what became of a request, an alert, and a heartbeat.

A request that has not been translated yet is answered 404, as by Opsgenie, whose clients then ask again.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import msgspec

from events.alert import AlertFired
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
        return told(_result(request, receipt, status="Alert does not exist", is_success=False), request_id=text)
    status = _DONE.get(request.action, "Request processed")
    found = _result(request, receipt, status=status, is_success=True, identity=identity, state=state)
    return told(found, request_id=text)


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
        "processedAt": written(receipt.received_at),
        "integrationId": receipt.integration,
        "isSuccess": is_success,
        "status": status,
        "alertId": identity,
        "alias": _alias(state.fired) if state and state.fired else identity,
    }


def _alias(fired: AlertFired) -> str:
    return fired.annotations.get("alias") or fired.fingerprint


async def alert(asked: Asked) -> Reply:
    """``GET /v2/alerts/{identifier}``."""
    try:
        _identity, history, state = await identified(asked)
    except InvalidPayload as problem:
        return refused(problem.status, str(problem))
    if state.fired is None:
        return no_such_alert()
    fired_at = next(one.happened_at for one in reversed(history) if isinstance(one.fact, AlertFired))
    return told(
        shown(
            msgspec.structs.replace(state.fired, title=state.title),
            acknowledged=state.status == "acknowledged",
            is_open=state.status in ("firing", "acknowledged"),
            created_at=fired_at,
            updated_at=history[-1].happened_at,
        )
    )


async def identified(asked: Asked) -> tuple[str, list[Recorded], AlertState]:
    """The alert that the path names: its id, what happened to it, and what is known of it.

    Raises:
        InvalidPayload: the identifier is of no known kind.
    """
    fields = dict(asked.queries)
    identity = alert_id(parse(_looked_up(asked, fields)), _looked_up(asked, fields))
    history = await asked.log.read(f"alert.{_key(asked, identity)}")
    return identity, history, fold(history)[0]


def no_such_alert() -> Reply:
    """The answer where the path names no alert of the asking key."""
    return refused(404, "Alert does not exist with given identifier.")


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


def shown(
    fired: AlertFired, *, acknowledged: bool, is_open: bool, created_at: datetime, updated_at: datetime
) -> dict[str, Any]:
    """An alert in Opsgenie's words."""
    return {
        "id": fired.fingerprint,
        "tinyId": tiny_id(fired.fingerprint),
        "alias": _alias(fired),
        "message": fired.title,
        "status": "open" if is_open else "closed",
        "acknowledged": acknowledged,
        "count": fired.occurrence,
        "createdAt": written(created_at),
        "updatedAt": written(updated_at),
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
    said = {
        "name": configured.name or name,
        "description": "",
        "interval": configured.every_s // seconds,
        "enabled": not configured.paused,
        "intervalUnit": unit,
        "expired": heartbeat.missed,
    }
    return told(said)


def told(data: object, *, request_id: str = "", paging: dict[str, str] | None = None) -> Reply:
    """An answer in Opsgenie's words; with `paging`, a part of a list."""
    answer: dict[str, Any] = {"data": data} | ({} if paging is None else {"paging": paging})
    return Reply(200, msgspec.json.encode(answer | {"took": 0.0, "requestId": request_id}))


def written(moment: datetime) -> str:
    """A time as Opsgenie writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


ANSWERS = (
    Answered(route=Route("GET", "/v2/alerts/requests/{request_id}"), sender=ADAPTER.name, answer=request_status),
    Answered(route=Route("GET", "/v2/alerts/{identifier}"), sender=ADAPTER.name, answer=alert),
    Answered(route=Route("GET", "/v2/heartbeats/{name}"), sender=ADAPTER.name, answer=heartbeat_status),
)
