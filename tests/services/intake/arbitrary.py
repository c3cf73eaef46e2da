"""Arbitrary payloads and requests: real ones of every sender with something of them changed, and anything at all."""

import json
import string
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import strategies as st

from services.intake.adapters import TARGET_HEADER, adapters
from services.intake.answers import answers
from tests.adapters.test_adapters import CASES

# What stands for a sender's key in a body or an address.
KEY = "K3Y"

# fmt: off
_WORDS = st.sampled_from([
    "alerts", "status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "event_action", "payload",
    "summary", "source", "severity", "dedup_key", "trigger", "resolve", "firing", "resolved", "critical", "title",
    "state", "key", "service", "id", "type", "1.0", "subject", "time", "data", "url", "P1", "message", "alias", "note",
])
_ODD = st.sampled_from([
    "", " ", "\x00", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00", "1e400", "-1", "18446744073709551616", "../..", "a" * 2_000, "{{x}}", "%s", "\u202e",
])
# fmt: on
TEXT = _WORDS | _ODD | st.text(max_size=20)
_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "",
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; charset=UTF-8",
    ]
)
_HEADERS = st.dictionaries(
    st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-subject", "x-other"]),
    st.sampled_from(["1.0", "/disk", "org.example.disk.resolved", "%C0%80", "%", "2026-03-01T12:00:00Z"]),
    max_size=6,
)
_SEGMENT = st.text(string.ascii_letters + string.digits + "-_.~%/ü ", min_size=1, max_size=20).map(
    lambda text: quote(text, safe="")
)


@dataclass(frozen=True)
class Payload:
    """What a sender may send: a body and what comes with it."""

    body: bytes
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    """Those that belong to the payload; `TARGET_HEADER` may be one."""
    mapping: str = ""


@dataclass(frozen=True)
class Request:
    """A request to the door. `KEY` stands for the sender's key, whoever that is."""

    method: str
    path: str
    sender: str
    headers: dict[str, str]
    body: bytes


@cache
def real_payloads(sender: str) -> list[Payload]:
    """The golden payloads of a sender."""
    return [_read(case) for case in CASES if case.parent.name == sender]


def _read(case: Path) -> Payload:
    headers_file, mapping = case.with_suffix(".headers"), case.with_suffix(".mapping")
    headers = json.loads(headers_file.read_text()) if headers_file.exists() else {}
    kind = headers.pop("content-type", "application/json")
    return Payload(case.read_bytes(), kind, headers, mapping.read_text() if mapping.exists() else "")


@st.composite
def payloads(draw: st.DrawFn, sender: str) -> Payload:
    """A real payload of a sender with some of it changed; sometimes anything at all."""
    real = draw(st.sampled_from(real_payloads(sender)))
    body, kind, headers = real.body, real.kind, dict(real.headers)
    how = draw(st.sampled_from(["as it is", *["changed"] * 12, "cut", "anything", "anything"]))
    if how == "changed":
        body = _changed(draw, body)
    elif how == "cut":
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 3)) :]
    elif how == "anything":
        body = draw(st.binary(max_size=200) | JSON.map(msgspec.json.encode))
        kind = draw(KINDS)
        headers = draw(_HEADERS) | {name: headers[name] for name in headers if draw(st.booleans())}
    if TARGET_HEADER in headers and draw(st.integers(0, 3)) == 0:
        headers[TARGET_HEADER] = draw(targets(sender))
    return Payload(body, kind, headers, real.mapping)


def _changed(draw: st.DrawFn, body: bytes) -> bytes:
    try:
        content = json.loads(body)
    except ValueError:
        return draw(JSON.map(msgspec.json.encode))
    for _ in range(draw(st.integers(1, 3))):
        content = _with_one_change(draw, content)
    return msgspec.json.encode(content)


def _with_one_change(draw: st.DrawFn, content: Any) -> Any:
    """A value somewhere in it is another, missing, or there twice."""
    if isinstance(content, dict) and content and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(sorted(content)))
        what = draw(st.integers(0, 9))
        rest = {other: value for other, value in content.items() if other != name}
        if what == 0:
            return rest
        if what == 1:
            return {**rest, draw(TEXT): content[name]}
        return {**content, name: _with_one_change(draw, content[name])}
    if isinstance(content, list) and content and draw(st.integers(0, 5)):
        at = draw(st.integers(0, len(content) - 1))
        if draw(st.integers(0, 5)) == 0:
            return [*content, *content[at:]]
        return [*content[:at], _with_one_change(draw, content[at]), *content[at + 1 :]]
    return draw(JSON)


def targets(sender: str) -> st.SearchStrategy[str]:
    """Method and address of a route of a sender, as it is kept with a receipt."""
    routes = [(route.method, route.template) for route in adapters()[sender].routes] or [("POST", f"/hooks/{sender}")]
    return st.builds(
        lambda route, segments, query: f"{route[0]} {_filled(route[1], segments)}{query}",
        st.sampled_from(routes),
        st.lists(_SEGMENT, min_size=4, max_size=4),
        _QUERIES,
    )


def _filled(template: str, segments: list[str]) -> str:
    parts = template.split("/")
    return "/".join(segments[number % 4] if part.startswith("{") else part for number, part in enumerate(parts))


# fmt: off
_QUERIES = st.sampled_from([
    "", "", "?identifierType=alias", "?identifierType=tiny", "?identifierType=x", "?filter=a%3D%22b%22", "?filter=~",
    "?active=no", "?a=b&a=c&%zz", "?data=%7B%7D", f"?apiKey={KEY}", f"?{'x' * 300}",
])
# fmt: on
_ADDRESSES = [(route.method, route.template, name) for name, one in adapters().items() for route in one.routes] + [
    (one.route.method, one.route.template, one.sender) for one in answers()
]
_METHODS = ["POST", "PUT", "GET", "OPTIONS", "DELETE", "HEAD", "PATCH"]
_NOWHERE = st.sampled_from(["/", "/hooks", "/hooks/json/wrong", "/v2", "/api/v2/alerts/x", "/v2/alerts//close"]) | (
    st.text(string.ascii_letters + string.digits + "/%.-_~", max_size=20).map(lambda text: f"/{text}")
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request: mostly one that a sender could make, with its key or without."""
    sender = draw(st.sampled_from(sorted(adapters())))
    where = draw(st.sampled_from(["hook"] * 5 + ["route"] * 4 + ["base"] + ["nowhere"]))
    method = "POST"
    if where in ("route", "base"):
        method, template, sender = draw(st.sampled_from(_ADDRESSES))
        path = _filled(template, draw(st.lists(_SEGMENT, min_size=4, max_size=4)))
        path = path if where == "route" else f"/hooks/{sender}/{KEY}{path}"
    else:
        path = f"/hooks/{sender}" if where == "hook" else draw(_NOWHERE)
    if draw(st.integers(0, 9)) == 0:
        method = draw(st.sampled_from(_METHODS))
    payload = draw(payloads(sender))
    headers = {name: value for name, value in payload.headers.items() if name != TARGET_HEADER}
    headers["content-type"] = payload.kind
    body = payload.body
    match draw(st.sampled_from(["path", "bearer", "bearer", "basic", "genie", "body", "none", "wrong"])):
        case "path" if where == "hook":
            path = f"{path}/{KEY}"
        case "path" | "bearer":
            headers["authorization"] = f"Bearer {KEY}"
        case "basic":
            headers["authorization"] = f"Basic {KEY}"
        case "genie":
            headers["authorization"] = f"GenieKey {KEY}"
        case "body":
            body = body.replace(b"{", f'{{"routing_key":"{KEY}",'.encode(), 1)
        case "wrong":
            headers["authorization"] = "Bearer wrong"
    query = draw(_QUERIES) if draw(st.booleans()) else ""
    return Request(method, path + query, sender, headers, body)
