"""Heartbeats: anything that can call an address, such as cron with curl, says that it is alive.

``GET`` or ``POST``
``/heartbeats/<key>``            pings the heartbeat that has the key's id
``/heartbeats/<key>/<name>``     pings the heartbeat of that name
``/hooks/heartbeat/<key>``       as the first, for senders that take a webhook

What is posted does not matter, so Alertmanager's Watchdog, an alert that always fires, can be sent here: its path from
Prometheus to Recount is then watched as a whole. That it is resolved is no sign of life: a JSON object whose ``status``
is ``resolved`` is no ping.
"""

from urllib.parse import unquote

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply, Request, Route
from services.intake.payload import UNREADABLE
from services.intake.routing import target_of
from services.intake.signal import Ping

OWN = "/heartbeats/{key}"
NAMED = "/heartbeats/{key}/{name}"
HOOK = "/hooks/heartbeat"
ROUTES = tuple(Route(method, template) for template in (OWN, NAMED, HOOK) for method in ("GET", "POST", "HEAD"))
NAME_CHARS_MAX = 200


class _Notification(msgspec.Struct, frozen=True):
    status: str = ""


_NOTIFICATION = msgspec.json.Decoder(_Notification)


class Heard(msgspec.Struct, frozen=True):
    """A call that was understood."""

    name: str
    is_ping: bool


def parse(receipt: Receipt) -> Heard:
    """See `Adapter.parse`."""
    target = target_of(receipt, ROUTES)
    name = target.parameters.get("name", "")
    if not name:
        # With the key as bearer token the first part may be a name.
        own = target.parameters.get("key", "")
        name = own or receipt.integration
    if len(name) > NAME_CHARS_MAX:
        raise InvalidPayload(f"the name of a heartbeat has more than {NAME_CHARS_MAX} characters")
    return Heard(name, not _is_resolved(receipt.body))


def signals(heard: Heard, _receipt: Receipt) -> tuple[Ping, ...]:
    """See `Adapter.signals`."""
    return (Ping(heartbeat_id=heard.name),) if heard.is_ping else ()


def _is_resolved(body: bytes) -> bool:
    try:
        return _NOTIFICATION.decode(body).status == "resolved"
    except UNREADABLE:
        return False


def _secret_in_request(request: Request) -> str:
    parts = request.path.split("/")
    return unquote(parts[2]) if parts[1:2] == ["heartbeats"] and len(parts) > 2 else ""


def _accepted(heard: Heard, _receipt: Receipt) -> Reply:
    status = "ok" if heard.is_ping else "resolved: no ping"
    return Reply(200, msgspec.json.encode({"status": status, "heartbeat": heard.name}))


ADAPTER = Adapter(
    name="heartbeat",
    parse=parse,
    signals=signals,
    accepted=_accepted,
    routes=ROUTES,
    secret_in_request=_secret_in_request,
)
