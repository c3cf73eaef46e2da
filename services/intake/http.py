"""Intake's HTTP door: check the key, store the payload, answer in the sender's own words.

``/hooks/<sender>/<key>``, or ``/hooks/<sender>`` with the key as bearer token or password, or a sender's own address
such as ``/v2/enqueue`` (PagerDuty), alone or behind ``/hooks/<sender>/<key>`` for clients that can only be told where
everything begins. A 2xx of what is posted means that the payload is on disk. Nothing is understood further here than
the sender's own API would before it answers; `translator` does the rest from the log.

Producers' requests are plain ASGI beside Litestar, whose routing and injection cost more than the work itself.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from litestar import Litestar, MediaType, Response, get
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from events import EventLog
from events.errors import IntakeBusy, LogError
from events.ids import is_id
from events.receipt import Receipt, Receipts
from services.clock import Clock
from services.intake import door_document
from services.intake.adapters import (
    HOOKS,
    TARGET_HEADER,
    Adapter,
    InvalidPayload,
    Reply,
    Request,
    Route,
    adapters,
    plain_reply,
)
from services.intake.answers import Asked, answers
from services.intake.body import read_body
from services.intake.credentials import address_without, body_without, presented_secret, text_without
from services.intake.keys import Key, Keys
from services.intake.metrics import Metrics
from services.intake.routing import QUERY_FIELDS_MAX, Found, Routes
from services.intake.signatures import Signatures
from services.intake.standing import Standing
from services.intake.turned import Handshake, Hangup, Turned

# Bytes. NATS carries at most 1 MiB a message, headers included. An Alertmanager notification of 1,000 alerts is about
# half of that; `max_alerts` of the receiver bounds it.
BODY_BYTES_MAX = 960 * 1024
# Bytes of all request headers together; what nginx and Apache take by default. CloudEvents attributes are small.
HEADERS_BYTES_MAX = 16 * 1024
# Headers that belong to a payload, such as ce-*: more are no event but an attack on memory.
PAYLOAD_HEADERS_MAX = 64
# Bytes of a path with its query; the longest that proxies and browsers agree on.
ADDRESS_BYTES_MAX = 8 * 1024
# Long enough for a queue of half a second to drain, short enough for an alert.
RETRY_AFTER_S = 2

# What a sender is asked for that brings no key. Google Cloud Monitoring and Amazon SNS send user and password only once
# they were asked for them so; an address with the key in it asks for nothing.
CHALLENGES = 'Basic realm="Recount", Bearer'

logger = logging.getLogger("recount.intake")

# Of the port itself; everything else is a producer's.
OWN_PATHS = frozenset({"/healthz", "/metrics", door_document.PATH})
NO_SUCH_DOOR = f"no sender posts there; use {HOOKS}<sender>/<key> with one of {', '.join(adapters())}"
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


class Door:
    """The ASGI handler of every producer route.

    Args:
        receipts: keeps what comes.
        keys: who may send.
        clock: says when it came.
        metrics: counts.
        log: what questions of senders' clients are answered from.
        signatures: checks those of senders that sign.
    """

    def __init__(
        self, receipts: Receipts, keys: Keys, clock: Clock, metrics: Metrics, log: EventLog, signatures: Signatures
    ) -> None:
        self._receipts = receipts
        self._keys = keys
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._signatures = signatures
        self._standing = Standing(log)
        self._started_at = clock.now()
        self._hooks = {name: _hook(adapter) for name, adapter in adapters().items()}
        self._routes: Routes[_Way] = Routes()
        self._own_routes: dict[str, Routes[_Way]] = {name: Routes() for name in adapters()}
        for adapter in adapters().values():
            ways = [route for route in adapter.routes if not route.template.startswith(HOOKS)]
            for route in ways:
                self._add(route, _Way(adapter=adapter, is_plain=len(ways) == 1 and route.method == "POST"))
        for answered in answers():
            self._add(answered.route, _Way(adapter=adapters()[answered.sender], answer=answered.answer))

    def _add(self, route: Route, way: "_Way") -> None:
        self._routes.add(route, way)
        self._own_routes[way.adapter.name].add(route, way)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        asked: _Asked | None = None
        headers: dict[str, str] = {}
        try:
            asked = self._find(scope)
            reply = await self._take(asked, scope, receive)
        except Turned as turned:
            reply = asked.refused(turned.status, str(turned)) if asked else plain_reply(turned.status, str(turned))
            headers = turned.headers
            self._metrics.refused.labels(turned.status).inc()
        except LogError as error:
            # 503 and not 429: Alertmanager takes every 4xx as final.
            reply = asked.refused(503, str(error)) if asked else plain_reply(503, str(error))
            headers = {"retry-after": str(RETRY_AFTER_S)}
            self._metrics.refused.labels("busy" if isinstance(error, IntakeBusy) else 503).inc()
        except Hangup:
            return
        await _send(send, reply, headers)

    def _find(self, scope: Any) -> "_Asked":
        path: str = scope["raw_path"].decode("latin-1").rstrip("/")
        method: str = scope["method"]
        parts = path.split("/", 4)
        if parts[1:2] != ["hooks"]:
            found = self._routes.find(path, method)
            if found is None:
                raise Turned(404, NO_SUCH_DOOR)
            return _Asked(path=path, ways=found.owners, way=_way(found, method), parameters=found.parameters)
        sender = parts[2] if len(parts) > 2 else ""
        if sender not in self._hooks:
            raise Turned(404, NO_SUCH_DOOR)
        secret = unquote(parts[3]) if len(parts) > 3 else ""
        if len(parts) == 5:
            # A client that can be told a base address and nothing else: its own path comes after the key.
            found = self._own_routes[sender].find(f"/{parts[4]}", method)
            if found is None:
                raise Turned(404, NO_SUCH_DOOR)
            return _Asked(
                path=f"/{parts[4]}",
                ways=found.owners,
                way=_way(found, method),
                parameters=found.parameters,
                secret=secret,
            )
        ways = self._hooks[sender]
        way = ways.get(method) or ways["POST"]
        return _Asked(path=f"{HOOKS}{sender}", ways=ways, way=way, secret=secret)

    async def _take(self, asked: "_Asked", scope: Any, receive: Receive) -> Reply:
        method: str = scope["method"]
        headers = _headers(scope["headers"])
        adapter = asked.way.adapter
        if method == "OPTIONS":
            return await self._handshake(asked, headers)
        if method not in asked.ways:
            allowed = ", ".join([*asked.ways, "OPTIONS"])
            raise Turned(405, f"{method} is not understood here; use {' or '.join(asked.ways)}", allow=allowed)
        query: str = scope["query_string"].decode("latin-1")
        if len(asked.path) + len(query) > ADDRESS_BYTES_MAX:
            raise Turned(414, f"the address takes more than {ADDRESS_BYTES_MAX} bytes")
        body = await read_body(receive, headers, min(adapter.body_bytes_max or BODY_BYTES_MAX, BODY_BYTES_MAX))
        request = Request(method=method, path=asked.path, query=query, headers=headers, body=body)
        presented = presented_secret(adapter, asked.secret, request)
        key = await self._admit(adapter, presented)
        adapter = adapter.for_mapping(key.mapping)
        await self._signatures.check(adapter, key, request)
        if asked.way.answer is not None:
            return await self._answer(asked, key, query)
        content_type = text_without(presented, key, _printable(headers, "content-type"))
        kept = _kept(adapter, headers, presented, key)
        if query or not asked.way.is_plain:
            address = f"{asked.path}?{query}" if query else asked.path
            if not _PRINTABLE.fullmatch(address):
                raise Turned(400, "the address has characters that are not printable ASCII")
            kept[TARGET_HEADER] = f"{method} {address_without(presented, key, address)}"
        receipt = Receipt(
            source=adapter.name,
            integration=key.key_id,
            received_at=self._clock.now(),
            content_type=content_type,
            headers=kept,
            body=body_without(adapter, presented, key, content_type, body),
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

    async def _answer(self, asked: "_Asked", key: Key, query: str) -> Reply:
        assert asked.way.answer is not None, "only an answering way is asked"
        try:
            queries = tuple(parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX))
        except ValueError as error:
            raise Turned(400, f"the query cannot be read: {error}") from None
        return await asked.way.answer(
            Asked(
                key=key,
                at=self._clock.now(),
                parameters=asked.parameters,
                queries=queries,
                started_at=self._started_at,
                log=self._log,
                receipts=self._receipts,
                standing=self._standing,
            )
        )

    async def _admit(self, adapter: Adapter, secret: str) -> Key:
        if not secret:
            raise Turned(401, "no integration key in the request", www_authenticate=CHALLENGES)
        key = await self._keys.find(secret, self._clock.now())
        if key is None:
            raise Turned(401, "the integration key is unknown", www_authenticate=CHALLENGES)
        if key.is_revoked:
            raise Turned(403, f"{key.key_id} was revoked")
        if key.sender != adapter.name and key.sender not in adapter.keys_of:
            raise Turned(403, f"{key.key_id} is for {key.sender}, not for {adapter.name}")
        return key

    async def _handshake(self, asked: "_Asked", headers: dict[str, str]) -> Reply:
        """The abuse protection of CloudEvents HTTP Web Hooks 1.0.2, section 4: we want these deliveries."""
        request = Request(method="OPTIONS", path=asked.path, headers=headers)
        await self._admit(asked.way.adapter, presented_secret(asked.way.adapter, asked.secret, request))
        origin = headers.get("webhook-request-origin", "")
        allowed = {"allow": ", ".join(asked.ways)}
        if origin and _PRINTABLE.fullmatch(origin):
            allowed["webhook-allowed-origin"] = origin
            allowed["webhook-allowed-rate"] = "*"
        raise Handshake(allowed)


class _Way(msgspec.Struct, frozen=True, kw_only=True):
    """What one method does at one address."""

    adapter: Adapter
    is_plain: bool = False
    """Whether the body says everything: an address without parameters, and the only one of its adapter."""
    answer: Callable[[Asked], Awaitable[Reply]] | None = None
    """Set when nothing is stored."""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    path: str
    """Without the key."""
    ways: dict[str, Any]
    """What is possible there, by method."""
    way: _Way
    """The one that is meant, or another of the same address when its method is not possible."""
    parameters: dict[str, str] = {}
    secret: str = ""
    """The integration key, where the path has it."""

    def refused(self, status: int, because: str) -> Reply:
        return self.way.adapter.refused(status, because)


def _hook(adapter: Adapter) -> dict[str, _Way]:
    template = f"{HOOKS}{adapter.name}"
    methods = [route.method for route in adapter.routes if route.template == template]
    return {"POST": _Way(adapter=adapter, is_plain=True)} | {
        method: _Way(adapter=adapter, is_plain=method == "POST") for method in methods
    }


def _way(found: Found, method: str) -> _Way:
    way: _Way = found.owners.get(method) or next(iter(found.owners.values()))
    return way


def _stumbled(adapter: Adapter, error: Exception) -> InvalidPayload:
    logger.error("intake: the adapter %s failed on a payload", adapter.name, exc_info=error)
    return InvalidPayload(f"the adapter {adapter.name} failed on it: {type(error).__name__}")


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    if sum(len(name) + len(value) for name, value in raw) > HEADERS_BYTES_MAX:
        raise Turned(431, f"the headers take more than {HEADERS_BYTES_MAX} bytes")
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


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
    return {name: text_without(secret, key, _printable(headers, name)) for name in names}


async def _send(send: Send, reply: Reply, more: dict[str, str]) -> None:
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
    """The whole port: the door, its health, its figures and its OpenAPI document.

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

    @get(door_document.PATH, sync_to_thread=True)
    def openapi() -> dict[str, Any]:
        return door_document.document()

    own = Litestar([health, figures, openapi], openapi_config=None, lifespan=[lifespan], logging_config=None)

    async def port(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"] not in OWN_PATHS:
            await door(scope, receive, send)
        else:
            await own(scope, receive, send)

    return port
