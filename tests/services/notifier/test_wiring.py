"""On-call and the notifier on a real broker, two copies of each: a declared incident becomes one mail."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.controller import Controller
from nats.aio.client import Client

from events import Event, Fact, Recorded, Write
from events.fact import tag_of
from events.ids import new_event_id
from events.incident import IncidentAcknowledged, IncidentDeclared
from events.nats_log import NatsLog
from events.timers import NatsTimers
from services.broker import ask, connect_client, make_broker
from services.clock import SystemClock
from services.command import Answer, Done, Order, Refused
from services.context import Context
from services.directory import Directory
from services.keyring import Keyring
from services.notifier.wiring import attach_notifier
from services.oncall.wiring import attach_oncall
from services.page_link import verify
from services.secrets import Secrets, new_secrets
from services.settings import Settings, parse_settings
from services.supervisor.configuration import Ask, apply_settings
from tests.nats_process import free_port

SOON_S = 15.0
POLL_S = 0.02

SETTINGS = """
public_url = "https://recount.example.org"
[smtp]
port = {port}
from = "recount@example.org"
[people.ada]
name = "Ada Lovelace"
contacts = ["smtp:ada@example.org"]
[people.grace]
name = "Grace Hopper"
contacts = ["smtp:grace@example.org"]
[rotations.primary]
zone = "Europe/London"
starts_at = 2026-01-05T09:00:00
shift_days = 7
members = ["ada"]
[policies.default]
levels = [
    {{ targets = ["rotation.primary"], answer_within_s = 2 }},
    {{ targets = ["person.grace"], answer_within_s = 600 }},
]
"""


class Sink:
    """Keeps the mails it is given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


@pytest.fixture
def mail() -> Iterator[tuple[Sink, int]]:
    sink, port = Sink(), free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    yield sink, port
    controller.stop()


def asking(client: Client) -> Ask:
    """Asks over the bus, as a process does."""

    async def ask_service(service: str, verb: str, order: Order) -> Answer:
        return await ask(client, service, verb, order)

    return ask_service


@asynccontextmanager
async def running_copy(
    nats_url: str, folder: Path, client: Client, settings: Settings, secrets: Secrets
) -> AsyncIterator[None]:
    """One copy of both services, as a process would run them."""
    broker = make_broker(nats_url)
    await broker.connect()
    context = Context(
        broker=broker,
        client=client,
        log=NatsLog(client),
        timers=NatsTimers(client),
        clock=SystemClock(),
        settings=settings,
        secrets=secrets,
        keyring=Keyring(folder / "people"),
        data=folder,
    )
    await attach_oncall(context)
    notifier = await attach_notifier(context)
    await broker.start()
    await apply_settings(settings, asking(client), Directory(context.log, context.keyring), context.clock)
    try:
        yield
    finally:
        await broker.stop()
        await notifier.stop()


class World:
    """What a test sees of it."""

    def __init__(self, log: NatsLog, client: Client, sink: Sink, secrets: Secrets) -> None:
        self.log = log
        self.client = client
        self.sink = sink
        self.secrets = secrets

    async def say(self, fact: Fact, after: int = 0) -> int:
        event = Event(id=new_event_id(), fact=fact, happened_at=SystemClock().now(), source="recount/test")
        return await self.log.append(Write("incident.INC-42", after, (event,)))

    async def mails(self, at_least: int) -> list[EmailMessage]:
        """The mails, as soon as they are so many."""
        await self._until(lambda: len(self.sink.mails) >= at_least)
        return self.sink.mails

    async def escalation(self, tag: str) -> list[Recorded]:
        """The facts of one tag in the escalation, as soon as there is one."""
        async with asyncio.timeout(SOON_S):
            while True:
                history = await self.log.read("escalation.INC-42")
                if found := [recorded for recorded in history if tag_of(type(recorded.fact)) == tag]:
                    return found
                await asyncio.sleep(POLL_S)

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not holds():  # noqa: ASYNC110 - the condition lies in the thread of a mail server
                await asyncio.sleep(POLL_S)


@pytest.fixture
async def world(nats_url: str, nats_log: NatsLog, mail: tuple[Sink, int], tmp_path: Path) -> AsyncIterator[World]:
    sink, port = mail
    settings, secrets = parse_settings(SETTINGS.format(port=port), "recount.toml"), new_secrets()
    client = await connect_client(nats_url)
    async with AsyncExitStack() as stack:
        for _copy in range(2):
            await stack.enter_async_context(running_copy(nats_url, tmp_path, client, settings, secrets))
        yield World(nats_log, client, sink, secrets)
    await client.close()


async def test_an_incident_becomes_one_mail_then_the_next_level_and_an_answer_ends_it(world: World):
    version = await world.say(IncidentDeclared(title="checkout is down", severity="sev1"))
    [first] = await world.mails(1)
    assert first["To"] == "ada@example.org"
    assert first["Subject"] == "[sev1] INC-42: checkout is down"
    first, second = await world.mails(2)
    assert second["To"] == "grace@example.org"

    token = second.get_content().partition("/ack/")[2].split()[0]
    link = verify(token, bytes.fromhex(world.secrets.page_link_key), SystemClock().now())
    await world.say(IncidentAcknowledged(page_id=link.page_id), version)
    [stopped] = await world.escalation("escalation.stopped")
    assert stopped.fact.reason == "acknowledged"
    levels = await world.escalation("escalation.level_reached")
    assert [recorded.fact.level for recorded in levels] == [1, 2]
    assert len(world.sink.mails) == 2
    for level in levels:
        [page_id] = level.fact.page_ids
        tags = [tag_of(type(recorded.fact)) for recorded in await world.log.read(f"page.{page_id}")]
        assert tags[:3] == ["page.requested", "page.attempted", "page.sent"]


async def test_two_copies_read_recount_toml_once(world: World):
    assert len(await world.log.read_category("person")) == 2
    assert len(await world.log.read("policy.default")) == 1
    tags = [tag_of(type(recorded.fact)) for recorded in await world.log.read("rotation.primary")]
    assert tags == ["rotation.configured", "rotation.shift_started"]


async def test_orders_are_answered_over_request_and_reply(world: World):
    order = Order(
        id=new_event_id(),
        actor="service:test",
        issued_at=SystemClock().now(),
        command=msgspec.Raw(b'{"reason":"asked to be forgotten"}'),
        target="ada",
    )
    answer = await ask(world.client, "oncall", "erase_person", order)
    assert isinstance(answer, Done), answer
    again = await ask(world.client, "oncall", "erase_person", order)
    assert isinstance(again, Done), "the same order is done once, though nobody is called ada any more"
    other = await ask(world.client, "oncall", "erase_person", msgspec.structs.replace(order, id=new_event_id()))
    assert isinstance(other, Refused)
    await world.say(IncidentDeclared(title="checkout is down", severity="sev1"))
    [first] = await world.mails(1)
    assert first["To"] == "grace@example.org", "a level that reaches nobody is passed at once"
