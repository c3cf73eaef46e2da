"""Arbitrary input: nothing is a 500, nothing that was taken is lost."""

import asyncio
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from events.alert import AlertFired
from events.receipt import Receipt
from events.recorded import EVENT_BYTES_MAX, Event, decode, encode
from services.intake.adapters import InvalidPayload, adapters
from services.intake.alert_decider import Arrival, decide
from services.intake.alert_state import AlertState
from services.intake.public_web import PublicWeb
from services.intake.signal import Signal, fit
from tests.nats_process import NatsProcess
from tests.services.intake.arbitrary import KEY, Payload, Request, payloads, requests
from tests.services.intake.stack import Stack, eventually, running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOAK_S = 600
ROUND = 300

# What the sender's own API answers to a payload that it takes, and to one that it does not.
ACCEPTED = {200, 201, 202, 204, 400}
INVALID = {400, 404, 413, 415, 422}
# And the door to requests that never become a payload.
TURNED = {400, 401, 403, 404, 405, 413, 414, 415, 431}
# What Opsgenie answers and Recount does not.
NOT_OFFERED = 501


@pytest.mark.parametrize("sender", sorted(adapters()))
def test_an_adapter_understands_or_says_why_not_and_what_it_understands_fits_into_the_log(sender: str):
    @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(payload=payloads(sender))
    def check(payload: Payload) -> None:
        understand(sender, payload)

    check()


def understand(sender: str, payload: Payload) -> None:
    """Have an adapter read a payload, and every signal become facts."""
    adapter = adapters()[sender].for_mapping(payload.mapping)
    receipt = Receipt(
        seq=1,
        source=sender,
        integration=f"key-{sender}",
        received_at=NOON,
        content_type=payload.kind,
        headers=payload.headers,
        body=payload.body,
    )
    refusal = None
    try:
        receipt = adapter.prepare(adapter.parse(receipt), receipt, "0123456789abcdef" * 2)
        # As the translator reads it, from what was stored.
        parsed = adapter.parse(receipt)
    except InvalidPayload as problem:
        refusal = adapter.invalid(problem)
    if refusal is not None:
        assert refusal.status in INVALID
        return
    assert adapter.accepted(parsed, receipt).status in ACCEPTED
    arrival = Arrival(seq=1, received_at=NOON, integration=f"key-{sender}", sender=sender, settled=True)
    for signal in adapter.signals(parsed, receipt):
        if not isinstance(signal, Signal):
            continue
        assert signal.fingerprint
        for fact, happened_at in decide(AlertState(), fit(signal), arrival):
            if isinstance(fact, AlertFired):
                assert fact.title
            event = Event(id="1", fact=fact, happened_at=happened_at, source="recount/intake")
            _subject, encoded = encode("alert.checkout", event)
            assert len(encoded) <= EVENT_BYTES_MAX


def drawn(seed: int, count: int) -> list[Request]:
    """Requests, the same for the same seed."""
    found: list[Request] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def collect(request: Request) -> None:
        found.append(request)

    collect()
    return found


async def ask(intake: Stack, request: Request) -> httpx.Response:
    """Make a request with the key of its sender."""
    secret = intake.secrets[request.sender]
    headers = {name: value.replace(KEY, secret) for name, value in request.headers.items()}
    if headers.get("authorization", "").startswith("Basic"):
        headers["authorization"] = f"Basic {b64encode(f'recount:{secret}'.encode()).decode()}"
    return await intake.http.request(
        request.method,
        request.path.replace(KEY, secret),
        content=request.body.replace(KEY.encode(), secret.encode()),
        headers=headers,
    )


async def all_is_documented_and_kept(intake: Stack, asked: list[Request]) -> int:
    """Make requests and look at every answer.

    Returns:
        How many were taken.
    """
    taken = 0
    count = await intake.receipt_count()
    for request in asked:
        answer = await ask(intake, request)
        status, before, count = answer.status_code, count, await intake.receipt_count()
        is_unchecked = status == 503 and request.sender in ("sns", "eventbridge")
        assert status in ACCEPTED | INVALID | TURNED | {NOT_OFFERED} or is_unchecked, (request, status, answer.text)
        assert count - before in (0, 1), (request, status)
        is_answer = request.method in ("GET", "HEAD", "OPTIONS")
        if status < 300 and not is_answer:
            assert count == before + 1, (request, "was answered with a 2xx and is not kept")
        if status in (401, 403, 405, 414, 431):
            assert count == before, (request, status, "is kept")
        taken += status < 300 and count > before
    return taken


async def every_receipt_has_its_end(intake: Stack) -> None:
    """Each receipt became facts, changed nothing, or is a dead letter; and nothing else did."""
    await eventually(intake.is_idle, "every receipt is dealt with")
    received = set(range(1, await intake.receipt_count() + 1))
    told: set[int] = set()
    async for batch in intake.log.bulk(after=0, through=await intake.log.last_position()):
        for stored in batch:
            if not stored.subject.startswith("evt.key."):
                told.add(getattr(decode(stored).fact, "receipt_seq", 0))
    dead = {one.fact.source_seq for one in await intake.facts("deadletter") if one.fact.source_stream == "INTAKE"}
    repeated: set[int] = set()
    for one in await intake.facts("ledger"):
        if hasattr(one.fact, "run_gaps"):
            repeated |= positions(one.fact)
    told.discard(0)
    assert received == (told | dead | repeated) & received, sorted(received - told - dead - repeated)
    assert not repeated & (told | dead), sorted(repeated & (told | dead))


def positions(fact) -> set[int]:
    """Positions that a fact lists as runs."""
    found: set[int] = set()
    at = fact.first_seq
    for gap, length in zip(fact.run_gaps, fact.run_lengths, strict=True):
        at += gap
        found |= set(range(at, at + length))
        at += length
    return found


async def _nobody(_host: str) -> list[tuple[str, int]]:
    """No name leads anywhere, so that certificates are looked for in vain and nothing leaves this machine."""
    return []


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_request_is_answered_as_documented_and_none_that_was_taken_is_lost(
    intake_nats: NatsProcess, tmp_path: Path, seed: int
):
    async with running(intake_nats.url, tmp_path, web=PublicWeb(resolve=_nobody)) as intake:
        taken = await all_is_documented_and_kept(intake, await asyncio.to_thread(drawn, seed, ROUND))
        assert taken > ROUND // 10
        await every_receipt_has_its_end(intake)


@pytest.mark.soak
async def test_ten_minutes_of_arbitrary_requests(intake_nats: NatsProcess, tmp_path: Path):
    until, seed = time.monotonic() + SOAK_S, 1_000
    while time.monotonic() < until:
        async with running(intake_nats.url, tmp_path / str(seed), web=PublicWeb(resolve=_nobody)) as intake:
            await all_is_documented_and_kept(intake, await asyncio.to_thread(drawn, seed, 5 * ROUND))
            await every_receipt_has_its_end(intake)
        seed += 1


@pytest.mark.soak
@pytest.mark.parametrize("sender", sorted(adapters()))
def test_every_adapter_with_a_great_many_payloads(sender: str):
    @settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
    @given(payload=payloads(sender))
    def check(payload: Payload) -> None:
        understand(sender, payload)

    check()
