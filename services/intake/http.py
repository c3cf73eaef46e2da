"""Intake's HTTP door: check the key, store the payload, answer in the sender's own words.

``POST /v2/enqueue`` (PagerDuty), ``POST /hooks/<sender>/<key>`` or ``POST /hooks/<sender>`` with
``Authorization: Bearer <key>``. A 2xx means that the payload is on disk. Nothing is understood further here than the
sender's own API would before it answers; `translator` does the rest from the log.

Producers' requests are plain ASGI beside Litestar, whose routing and injection cost more than the work itself.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from events.errors import IntakeBusy, LogError
from events.ids import is_id
from events.receipt import Receipt, Receipts
from services.clock import Clock
from services.intake.adapters import Adapter, InvalidPayload, Reply, adapters, plain_reply
from services.intake.keys import Key, Keys
from services.intake.metrics import Metrics

# Bytes. NATS carries at most 1 MiB a message, headers included. An Alertmanager notification of 1,000 alerts is about
# half of that; `max_alerts` of the receiver bounds it.
BODY_BYTES_MAX = 960 * 1024
# Bytes of a body that is too large which are read and forgotten, because a sender that is still writing when the
# connection closes never sees the 413, and tries again.
DRAIN_BYTES_MAX = 16 * 1024 * 1024
# Bytes of all request headers together; what nginx and Apache take by default. CloudEvents attributes are small.
HEADERS_BYTES_MAX = 16 * 1024
# Headers that belong to a payload, such as ce-*: more are no event but an attack on memory.
PAYLOAD_HEADERS_MAX = 64
# A body that takes longer to arrive holds a connection, not an alert; senders give up after 10 to 30 seconds.
BODY_TIMEOUT_S = 30.0
# Long enough for a queue of half a second to drain, short enough for an alert.
RETRY_AFTER_S = 2

logger = logging.getLogger("recount.intake")

_PRINTABLE = re.compile(r"[\x20-\x7e]*")


class Hangup(Exception):
    """The sender closed the connection before the request was complete."""


class Turned(Exception):
    """A request that is not taken."""

    def __init__(self, status: int, because: str, **headers: str) -> None:
        super().__init__(because)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Door:
    """The ASGI handler of every producer route."""

    def __init__(self, receipts: Receipts, keys: Keys, clock: Clock, metrics: Metrics) -> None:
        self._receipts = receipts
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._own_paths = {route.template: adapter for adapter in adapters().values() for route in adapter.routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        adapter: Adapter | None = None
        headers: dict[str, str] = {}
        try:
            adapter, secret = self._route(scope["raw_path"].decode("latin-1"))
            reply = await self._take(adapter, secret, scope, receive)
        except Turned as turned:
            reply = adapter.refused(turned.status, str(turned)) if adapter else plain_reply(turned.status, str(turned))
            headers = turned.headers
            self._metrics.refused.labels(turned.status).inc()
        except LogError as error:
            # 503 and not 429: Alertmanager takes every 4xx as final.
            reply = adapter.refused(503, str(error)) if adapter else plain_reply(503, str(error))
            headers = {"retry-after": str(RETRY_AFTER_S)}
            self._metrics.refused.labels("busy" if isinstance(error, IntakeBusy) else 503).inc()
        except Hangup:
            return
        await _answer(send, reply, headers)

    def _route(self, path: str) -> tuple[Adapter, str]:
        path = path.rstrip("/")
        if path in self._own_paths:
            return self._own_paths[path], ""
        parts = path.split("/")
        if len(parts) in (3, 4) and parts[1] == "hooks" and parts[2] in adapters():
            return adapters()[parts[2]], parts[3] if len(parts) == 4 else ""
        raise Turned(404, f"no sender posts there; use /hooks/<sender>/<key> with one of {', '.join(adapters())}")

    async def _take(self, adapter: Adapter, secret: str, scope: Any, receive: Receive) -> Reply:
        method = scope["method"]
        if method not in ("POST", "OPTIONS"):
            raise Turned(405, f"{method} is not understood here; use POST", allow="POST, OPTIONS")
        headers = _headers(scope["headers"])
        if method == "OPTIONS":
            return await self._handshake(adapter, secret, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Turned(415, "compressed bodies are not understood", accept_encoding="identity")
        body = await _body(receive, headers, min(adapter.body_bytes_max or BODY_BYTES_MAX, BODY_BYTES_MAX))
        presented = adapter.secret_in_body(body) or secret or _bearer(headers)
        key = await self._admit(adapter, presented)
        receipt = Receipt(
            source=adapter.name,
            integration=key.key_id,
            received_at=self._clock.now(),
            content_type=_without(presented, key, _printable(headers, "content-type")),
            headers=_kept(adapter, headers, presented, key),
            body=_body_without(adapter, presented, key, body),
        )
        try:
            payload = adapter.parse(receipt)
        except Exception as error:  # whatever an adapter stumbles over, the payload must not be lost
            problem = error if isinstance(error, InvalidPayload) else _stumbled(adapter, error)
            # Kept all the same: the translator meets it again and makes a dead letter of it.
            await self._receipts.put(receipt)
            self._metrics.invalid.labels(adapter.name).inc()
            return adapter.invalid(problem)
        receipt = adapter.prepare(payload, receipt, token_hex(16))
        await self._receipts.put(receipt)
        self._metrics.stored.labels(adapter.name).inc()
        return adapter.accepted(payload, receipt)

    async def _admit(self, adapter: Adapter, secret: str) -> Key:
        if not secret:
            raise Turned(401, "no integration key in the request", www_authenticate="Bearer")
        key = await self._keys.find(secret)
        if key is None:
            raise Turned(401, "the integration key is unknown", www_authenticate="Bearer")
        if key.is_revoked:
            raise Turned(403, f"{key.key_id} was revoked")
        if key.sender != adapter.name:
            raise Turned(403, f"{key.key_id} is for {key.sender}, not for {adapter.name}")
        return key

    async def _handshake(self, adapter: Adapter, secret: str, headers: dict[str, str]) -> Reply:
        """The abuse protection of CloudEvents HTTP Web Hooks 1.0.2, section 4: we want these deliveries."""
        await self._admit(adapter, secret or _bearer(headers))
        origin = headers.get("webhook-request-origin", "")
        allowed = {"allow": "POST"}
        if origin and _PRINTABLE.fullmatch(origin):
            allowed["webhook-allowed-origin"] = origin
            allowed["webhook-allowed-rate"] = "*"
        raise Handshake(allowed)


class Handshake(Turned):
    """A request that is not taken but welcome."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(200, "")
        self.headers = headers


def _stumbled(adapter: Adapter, error: Exception) -> InvalidPayload:
    logger.error("intake: the adapter %s failed on a payload", adapter.name, exc_info=error)
    return InvalidPayload(f"the adapter {adapter.name} failed on it: {type(error).__name__}")


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    if sum(len(name) + len(value) for name, value in raw) > HEADERS_BYTES_MAX:
        raise Turned(431, f"the headers take more than {HEADERS_BYTES_MAX} bytes")
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


async def _body(receive: Receive, headers: dict[str, str], limit: int) -> bytes:
    length = headers.get("content-length", "0")
    is_too_large = length.isdecimal() and int(length[:20]) > limit
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message: Any = await receive()
                if message["type"] == "http.disconnect":
                    raise Hangup
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                is_too_large = is_too_large or size > limit
                if not is_too_large:
                    chunks.append(chunk)
                is_whole = not message.get("more_body", False)
                if is_too_large and (is_whole or size > limit + DRAIN_BYTES_MAX):
                    raise Turned(413, f"the body exceeds {limit} bytes", connection="close")
                if is_whole:
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        raise Turned(408, f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s", connection="close") from None


def _bearer(headers: dict[str, str]) -> str:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _printable(headers: dict[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not _PRINTABLE.fullmatch(value):
        raise Turned(400, f"header {name} has characters that are not printable ASCII")
    return value.strip()


def _kept(adapter: Adapter, headers: dict[str, str], secret: str, key: Key) -> dict[str, str]:
    if not adapter.headers_kept:
        return {}
    names = [name for name in headers if name.startswith(adapter.headers_kept) and is_id(name)]
    if len(names) > PAYLOAD_HEADERS_MAX:
        raise Turned(431, f"more than {PAYLOAD_HEADERS_MAX} headers belong to the payload")
    return {name: _without(secret, key, _printable(headers, name)) for name in names}


def _without(secret: str, key: Key, text: str) -> str:
    return text.replace(secret, key.key_id) if secret in text else text


def _body_without(adapter: Adapter, secret: str, key: Key, body: bytes) -> bytes:
    """The body with the key's id where the secret was."""
    plain = secret.encode()
    if plain in body:
        body = body.replace(plain, key.key_id.encode())
    if adapter.secret_in_body(body) == secret:
        # Written with JSON escapes. The meaning is kept, the bytes cannot be.
        event = msgspec.json.decode(body)
        body = msgspec.json.encode({name: key.key_id if value == secret else value for name, value in event.items()})
    return body


async def _answer(send: Send, reply: Reply, more: dict[str, str]) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    if reply.body:
        headers.append((b"content-type", reply.content_type.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


def make_intake_app(
    door: Door,
    metrics: Metrics,
    is_log_there: Callable[[], bool],
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
) -> ASGIApp:
    """The whole port: the door, its health and its figures.

    Args:
        door: takes what producers send.
        metrics: served at ``/metrics``.
        is_log_there: whether the NATS server can be reached now.
        lifespan: what must hold while the port is open.
    """

    @get("/healthz", sync_to_thread=False)
    def health() -> Response[dict[str, str]]:
        is_there = is_log_there()
        return Response(
            {"status": "ok" if is_there else "the log is away"},
            status_code=HTTPStatus.OK if is_there else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    @get("/metrics", sync_to_thread=False, media_type=MediaType.TEXT)
    def figures() -> bytes:
        return metrics.exposition()

    own = Litestar([health, figures], openapi_config=None, lifespan=[lifespan], logging_config=None)

    async def port(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"] not in ("/healthz", "/metrics"):
            await door(scope, receive, send)
        else:
            await own(scope, receive, send)

    return port
