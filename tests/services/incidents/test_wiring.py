"""The incidents service on a real broker: orders by request and reply, alerts by its durable consumer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from nats.aio.client import Client

from events import Event, Write, decode
from events.alert import AlertNoted
from events.fact import tag_of
from events.nats_log import NatsLog
from events.timers import NatsTimers
from services.broker import ask, connect_client, make_broker
from services.clock import SystemClock
from services.command import Answer, Done, Order, Refused, decode_answer
from services.context import Context
from services.incidents.looking import HEARS
from services.incidents.wiring import attach_incidents
from services.keyring import Keyring
from services.secrets import new_secrets
from services.settings import GroupingSettings, Settings
from tests.services.incidents.alerts import fired, happens, incident_ids
from tests.services.incidents.story import ADA

SOON_S = 10.0


@asynccontextmanager
async def running_copy(nats_url: str, folder: Path, client: Client) -> AsyncIterator[None]:
    """One copy of the service, as a process would run it."""
    broker = make_broker(nats_url)
    await broker.connect()
    context = Context(
        broker=broker,
        client=client,
        log=NatsLog(client),
        timers=NatsTimers(client),
        clock=SystemClock(),
        settings=Settings(grouping=GroupingSettings(opens_at="warning")),
        secrets=new_secrets(),
        keyring=Keyring(folder / "people"),
        data=folder,
    )
    await attach_incidents(context)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()


@pytest.fixture
async def client(nats_url: str, nats_log: NatsLog, tmp_path: Path) -> AsyncIterator[Client]:
    """A connection to where two copies run."""
    connection = await connect_client(nats_url)
    async with running_copy(nats_url, tmp_path, connection), running_copy(nats_url, tmp_path, connection):
        yield connection
    await connection.close()


def order(number: int, target: str = "", **command: object) -> Order:
    return Order(
        id=f"order-{number}",
        actor=ADA,
        issued_at=SystemClock().now(),
        target=target,
        command=msgspec.Raw(msgspec.json.encode(command)),
    )


async def until_said(log: NatsLog, tag: str, *, times: int) -> None:
    """Wait until the log holds a type of fact this many times."""
    async with asyncio.timeout(SOON_S):
        async for batch in log.follow(after=0):
            times -= sum(tag_of(type(decode(stored).fact)) == tag for stored in batch)
            if times <= 0:
                return


async def test_orders_are_answered_over_the_broker(client: Client, nats_log: NatsLog):
    declared = await ask(client, "incident", "declare", order(1, title="checkout is down", severity="sev1"))
    assert isinstance(declared, Done)
    assert declared.target == "INC-1"
    noted = await ask(client, "incident", "note", order(2, "INC-1", text="restarted it"))
    assert isinstance(noted, Done)
    assert noted.seq == await nats_log.last_position()
    refused = await ask(client, "incident", "note", order(3, "INC-9", text="restarted it"))
    assert isinstance(refused, Refused)
    assert refused.because == "there is no INC-9"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b'"order"', b'{"id": 1}'])
async def test_a_malformed_order_is_answered_too(client: Client, body: bytes):
    reply = await client.request("cmd.incident.declare", body, timeout=SOON_S)
    answer: Answer = decode_answer.decode(reply.data)
    assert isinstance(answer, Refused)
    assert answer.code == "invalid"


async def test_orders_given_at_once_are_each_carried_out(client: Client):
    answers = await asyncio.gather(
        *(
            ask(client, "incident", "declare", order(number, title=f"number {number}", severity="sev4"))
            for number in range(20)
        )
    )
    assert {answer.target for answer in answers if isinstance(answer, Done)} == {f"INC-{n}" for n in range(1, 21)}


async def test_alerts_reach_the_service_and_the_configured_severity_counts(client: Client, nats_log: NatsLog):
    clock = SystemClock()
    for name in ("CheckoutErrors", "CheckoutSlow"):
        await happens(nats_log, clock, name, fired(name, severity="warning"))
    await until_said(nats_log, "incident.alert_linked", times=2)
    assert await incident_ids(nats_log) == ["INC-1"]


async def test_what_the_service_does_not_hear_is_not_delivered_to_it(client: Client, nats_log: NatsLog):
    clock = SystemClock()
    heard = await happens(nats_log, clock, "CheckoutErrors", fired("CheckoutErrors"))
    noted = Event(
        id="noted",
        fact=AlertNoted(text="on it"),
        happened_at=clock.now() + timedelta(seconds=1),
        source="recount/intake",
    )
    await nats_log.append(Write(heard.stream, heard.seq, (noted,)))
    await until_said(nats_log, "incident.declared", times=1)
    consumer = await client.jetstream().consumer_info("EVENTS", "incidents")
    assert consumer.config.filter_subjects == list(HEARS)
