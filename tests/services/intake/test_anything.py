"""Arbitrary input: nothing is a 500, nothing that was taken is lost."""

import string
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from events.alert import AlertFired
from events.receipt import Receipt
from events.recorded import EVENT_BYTES_MAX, Event, encode
from services.intake.adapters import InvalidPayload, adapters
from services.intake.alert_decider import Arrival, decide
from services.intake.alert_state import AlertState
from services.intake.signal import fit
from tests.services.intake.stack import Stack, eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# fmt: off
_WORDS = st.sampled_from([
    "alerts", "status", "labels", "annotations", "startsAt", "endsAt", "fingerprint", "groupKey",
    "truncatedAlerts", "event_action", "payload", "summary", "source", "severity", "dedup_key", "links",
    "images", "custom_details", "routing_key", "trigger", "resolve", "firing", "resolved", "critical",
    "title", "state", "key", "service", "id", "type", "specversion", "1.0", "subject", "time", "data", "url",
    "started_at", "ended_at",
])
# fmt: on
_TEXT = _WORDS | st.text(max_size=20) | st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "\x00"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=6),
    max_leaves=20,
)


@st.composite
def _likely(draw) -> bytes:
    """Something close to a payload: what a sender means, with some of it replaced."""
    alert = {
        "status": draw(st.sampled_from(["firing", "resolved"]) | _JSON),
        "labels": draw(st.dictionaries(_TEXT, _TEXT, max_size=4) | _JSON),
        "startsAt": draw(_TEXT),
        "fingerprint": draw(_TEXT),
    }
    event = {"summary": draw(_TEXT), "source": "lb-1", "severity": draw(_WORDS), "custom_details": draw(_JSON)}
    whole = {
        "alerts": draw(st.just([alert]) | st.lists(_JSON, max_size=2)),
        "groupKey": draw(_TEXT),
        "truncatedAlerts": draw(st.integers() | _JSON),
        "event_action": draw(st.sampled_from(["trigger", "resolve", "acknowledge"]) | _JSON),
        "dedup_key": draw(_TEXT | _JSON),
        "payload": draw(st.just(event) | _JSON),
        "links": draw(_JSON),
        "specversion": "1.0",
        "id": draw(_TEXT),
        "source": draw(_TEXT),
        "type": draw(_TEXT),
        "time": draw(_TEXT),
        "data": draw(_JSON),
        "title": draw(_TEXT),
        "state": draw(_TEXT),
        "labels": draw(_JSON),
        "started_at": draw(_TEXT),
    }
    left_out = draw(st.sets(st.sampled_from(sorted(whole)), max_size=4))
    return msgspec.json.encode({name: value for name, value in whole.items() if name not in left_out})


_BODIES = st.binary(max_size=200) | _JSON.map(msgspec.json.encode) | _likely()
_KINDS = st.sampled_from(
    ["", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain"]
)
_HEADERS = st.dictionaries(
    st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-subject"]),
    st.sampled_from(["1.0", "/disk", "org.example.disk.resolved", "%C0%80", "%", "2026-03-01T12:00:00Z"]),
    max_size=6,
)


@pytest.mark.parametrize("sender", sorted(adapters()))
@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=_BODIES, kind=_KINDS, headers=_HEADERS)
def test_an_adapter_understands_or_says_why_not_and_what_it_understands_fits_into_the_log(sender, body, kind, headers):
    adapter = adapters()[sender]
    receipt = Receipt(
        seq=1,
        source=sender,
        integration=f"key-{sender}",
        received_at=NOON,
        content_type=kind,
        headers={**headers, "recount-dedup-key": "made-up"},
        body=body,
    )
    try:
        payload = adapter.parse(receipt)
    except InvalidPayload as problem:
        refusal = adapter.invalid(problem)
    else:
        refusal = None
    if refusal:
        assert refusal.status in (400, 413, 415)
        return
    assert adapter.accepted(payload, receipt).status == 202
    arrival = Arrival(seq=1, received_at=NOON, integration=f"key-{sender}", sender=sender, settled=True)
    for signal in adapter.signals(payload, receipt):
        assert signal.fingerprint
        for fact, happened_at in decide(AlertState(), fit(signal), arrival):
            if isinstance(fact, AlertFired):
                assert fact.title
            event = Event(id="1", fact=fact, happened_at=happened_at, source="recount/intake")
            _subject, encoded = encode("alert.checkout", event)
            assert len(encoded) <= EVENT_BYTES_MAX


_PATHS = st.sampled_from(["/v2/enqueue", "/hooks", "/healthz", "/metrics", "/hooks/json/wrong"]) | st.text(
    string.ascii_letters + string.digits + "/%.-_~", max_size=20
).map(lambda text: f"/{text}")
_REQUESTS = st.tuples(
    st.sampled_from(["POST"] * 9 + ["PUT", "GET", "OPTIONS", "DELETE", "HEAD"]),
    st.sampled_from(["alertmanager", "pagerduty", "cloudevents", "json"]) | _PATHS,
    _BODIES,
    _KINDS,
    _HEADERS,
)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_request_is_a_500_and_none_that_was_taken_is_lost(intake: Stack, seed: int):
    found: list = []

    @settings(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(_REQUESTS)
    def collect(request) -> None:
        found.append(request)

    seeded(seed)(collect)()
    kept = 0
    for method, where, body, kind, headers in found:
        path = intake.hook(where) if where in intake.secrets else where
        if where == "pagerduty":
            body = body.replace(b"{", f'{{"routing_key":"{intake.secrets["pagerduty"]}",'.encode(), 1)
        answer: httpx.Response = await intake.http.request(
            method, path, content=body, headers={"content-type": kind, **headers}
        )
        assert answer.status_code < 500, (method, path, body, kind, headers, answer.text)
        is_kept = answer.status_code == 202 or (
            where in intake.secrets and method == "POST" and answer.status_code in (400, 413, 415)
        )
        kept += is_kept
    assert kept > 10
    assert await intake.receipt_count() == kept
    await eventually(intake.is_idle, "every receipt is dealt with")
    dead = {recorded.fact.source_seq for recorded in await intake.facts("deadletter")}
    assert all(seq <= kept for seq in dead)
