"""The embedded server: it starts, survives its own death on the same port, and lets each user do only its work."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from events import Conflict, Event, Write
from events.audit import SystemStarted
from events.nats_log import NatsLog
from events.nats_streams import declare_consumer, declare_streams
from events.timers import NatsTimers, Timer
from services.secrets import NATS_USERS, NatsUser
from services.supervisor.nats_config import HISTORY_STREAMS
from services.supervisor.nats_server import NatsServer, NatsUnreachable, store_bytes_max, wait_until_it_answers

PASSWORDS: dict[NatsUser, str] = {user: f"{user}-password" for user in NATS_USERS}
NOW = datetime(2026, 3, 2, 14, 7, tzinfo=UTC)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path / "nats", log_file=tmp_path / "nats.log", passwords=PASSWORDS)
    await server.start()
    try:
        async with connected(server, "admin") as admin:
            await declare_streams(admin.jetstream())
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def connected(server: NatsServer, user: NatsUser) -> AsyncIterator[Client]:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(server.url, user=user, password=PASSWORDS[user], error_cb=on_error)
    client.refusals = refusals
    try:
        yield client
    finally:
        await client.close()


async def expect_refusal(client: Client, subject: str) -> None:
    """The server forbids this user to publish on a subject: the reason comes to the error callback alone."""
    await client.publish(subject, b"{}", reply=client.new_inbox())
    await wait_for(lambda: any("permissions violation for publish" in text.lower() for text in client.refusals))


def started(identifier: str) -> Write:
    event = Event(
        id=f"start-{identifier}",
        fact=SystemStarted(process="readers", version="0.1.0"),
        happened_at=NOW,
        source="recount/readers",
    )
    return Write(f"system.{identifier}", 0, (event,))


async def test_it_starts_on_a_free_port_and_answers(server: NatsServer):
    await wait_until_it_answers(server.url, user="admin", password=PASSWORDS["admin"], timeout_s=5)
    assert server.port > 0
    assert os.kill(server.pid, 0) is None


async def test_its_configuration_is_for_its_owner_only(server: NatsServer, tmp_path: Path):
    path = tmp_path / "nats" / "nats.conf"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "sync_interval: always" in path.read_text()


async def test_after_kill_9_it_is_back_on_the_same_port_with_everything(server: NatsServer):
    async with connected(server, "actors") as client:
        position = await NatsLog(client).append(started("one"))
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    await wait_for(lambda: server.pid not in (0, pid))
    await wait_until_it_answers(server.url, user="admin", password=PASSWORDS["admin"], timeout_s=20)
    async with connected(server, "readers") as client:
        assert [recorded.seq for recorded in await NatsLog(client).read("system.one")] == [position]


async def test_it_stops_when_asked(tmp_path: Path):
    server = NatsServer(tmp_path / "nats", log_file=tmp_path / "nats.log")
    await server.start()
    pid = server.pid
    await server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "Server Exiting" in (tmp_path / "nats.log").read_text()


async def test_a_wrong_password_is_said_to_be_one(server: NatsServer):
    with pytest.raises(NatsUnreachable, match="refuses user 'actors'"):
        await wait_until_it_answers(server.url, user="actors", password="wrong", timeout_s=5)


async def test_where_nothing_listens_it_says_so(tmp_path: Path):
    with pytest.raises(NatsUnreachable, match="no NATS server with JetStream answered"):
        await wait_until_it_answers("nats://127.0.0.1:9", timeout_s=0.1)


def test_room_for_streams_counts_what_they_fill_already(tmp_path: Path):
    before = store_bytes_max(tmp_path)
    (tmp_path / "block").write_bytes(b"x" * 50_000_000)
    assert abs(store_bytes_max(tmp_path) - before) < 50_000_000


async def test_a_producer_is_acknowledged_on_its_source(server: NatsServer):
    async with connected(server, "producer") as client:
        ack = await client.jetstream().publish("intake.json", b"{}", headers={"Nats-Msg-Id": "one"})
        assert (ack.stream, ack.seq) == ("INTAKE", 1)


@pytest.mark.parametrize(
    "subject",
    [
        "evt.incident.INC-42.declared",
        "cmd.incident.resolve",
        "intake",
        "intake.json.more",
        "$JS.API.STREAM.INFO.EVENTS",
    ],
)
async def test_a_producer_publishes_nothing_else(server: NatsServer, subject: str):
    async with connected(server, "producer") as client:
        await expect_refusal(client, subject)


@pytest.mark.parametrize("subject", ["evt.>", "intake.>", "cmd.>", "$JS.>", ">"])
async def test_a_producer_hears_nothing(server: NatsServer, subject: str):
    async with connected(server, "producer") as client:
        await client.subscribe(subject)
        await client.flush()
        await wait_for(lambda: any("subscription" in text.lower() for text in client.refusals))


async def test_a_producer_does_not_see_what_others_are_answered(server: NatsServer):
    async with connected(server, "producer") as producer, connected(server, "actors") as actors:
        overheard = await producer.subscribe("_INBOX.>")
        await producer.flush()
        await NatsLog(actors).append(started("secret"))
        await NatsLog(actors).read("system.secret")
        await producer.flush()
        assert overheard.pending_msgs == 0


async def test_actors_write_facts_receipts_and_timers(server: NatsServer):
    async with connected(server, "actors") as client:
        log, timers = NatsLog(client), NatsTimers(client)
        assert await log.append(started("one")) > 0
        with pytest.raises(Conflict):
            await log.append(Write("system.one", 0, (another_start(),)))
        assert (await client.jetstream().publish("intake.alertmanager", b"{}")).stream == "INTAKE"
        timer = Timer(
            id="later", due_at=datetime(2199, 1, 1, tzinfo=UTC), purpose="escalation", about="escalation.INC-1"
        )
        await timers.set(timer)
        await timers.cancel(timer.id)
        await declare_consumer(client.jetstream(), stream="EVENTS", durable="oncall", filter_subjects=["evt.system.>"])
        subscription = await client.jetstream().pull_subscribe("", durable="oncall", stream="EVENTS")
        [message] = await subscription.fetch(1, timeout=5)
        await message.ack_sync()
        assert not client.refusals


async def test_commands_are_answered_between_readers_and_actors(server: NatsServer):
    async with connected(server, "actors") as actors, connected(server, "readers") as readers:

        async def answer(message: object) -> None:
            await message.respond(b"done")  # type: ignore[attr-defined]

        await actors.subscribe("cmd.incident.*", cb=answer)
        await actors.flush()
        assert (await readers.request("cmd.incident.note", b"{}", timeout=5)).data == b"done"


async def test_readers_follow_and_read_the_log(server: NatsServer):
    async with connected(server, "actors") as actors:
        position = await NatsLog(actors).append(started("one"))
    async with connected(server, "readers") as client:
        log = NatsLog(client)
        follower = log.follow(after=0)
        async with asyncio.timeout(10):
            batch = await anext(follower)
        await follower.aclose()
        assert [stored.seq for stored in batch] == [position]
        assert await log.last_position() == position
        assert [seq async for part in log.bulk(after=0, through=position) for seq in [part[0].seq]] == [position]
        assert not client.refusals


async def test_readers_say_that_they_started(server: NatsServer):
    async with connected(server, "readers") as client:
        assert await NatsLog(client).append(started("readers")) > 0


@pytest.mark.parametrize(
    "subject",
    [
        "evt.incident.INC-42.declared",
        "evt.key.key-1.created",
        "intake.json",
        "tmr.set.one",
        "$JS.API.CONSUMER.CREATE.EVENTS.oncall",
        "$JS.API.CONSUMER.CREATE.EVENTS.oncall.evt.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.oncall",
        "$JS.API.CONSUMER.DELETE.EVENTS.oncall",
        "$JS.API.STREAM.PURGE.TIMERS",
    ],
)
async def test_readers_write_nothing_else(server: NatsServer, subject: str):
    async with connected(server, "readers") as client:
        await expect_refusal(client, subject)


@pytest.mark.parametrize("user", ["actors", "readers"])
@pytest.mark.parametrize("stream", HISTORY_STREAMS)
@pytest.mark.parametrize("verb", ["DELETE", "UPDATE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE", "LEADER.STEPDOWN"])
async def test_no_service_can_touch_history(server: NatsServer, user: NatsUser, stream: str, verb: str):
    async with connected(server, user) as client:
        await expect_refusal(client, f"$JS.API.STREAM.{verb}.{stream}")


def another_start() -> Event:
    return Event(
        id="start-again",
        fact=SystemStarted(process="readers", version="0.1.0"),
        happened_at=NOW,
        source="recount/readers",
    )


async def wait_for(condition, deadline_s: float = 10) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
