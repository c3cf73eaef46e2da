"""What the log on JetStream promises while its server dies, is full, or forbids."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.aio.client import Client

from events import NOTHING, Conflict, Event, Write
from events.errors import LogFull, LogUnavailable
from events.incident import Noted
from events.nats_log import NatsLog
from events.nats_streams import EVENTS, declare_streams
from services.broker import connect_client
from tests.nats_process import NatsProcess

MOMENT = datetime(2026, 3, 1, 14, 2, tzinfo=UTC)
INC = "incident.INC-42"
WAIT_S = 30


def note(identifier: str, text: str = "looking at checkout") -> Event:
    return Event(id=identifier, fact=Noted(text=text), happened_at=MOMENT, source="recount/test", actor="per-ada")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsProcess]:
    process = NatsProcess(tmp_path).start()
    yield process
    process.remove()


@pytest.fixture
async def log(server: NatsProcess) -> AsyncIterator[NatsLog]:
    client = await connect_client(server.url)
    await declare_streams(client.jetstream())
    yield NatsLog(client)
    await client.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():  # noqa: ASYNC110 - the condition is not ours to signal
            await asyncio.sleep(0.01)


async def append_until_refused(log: NatsLog, version: int = NOTHING) -> tuple[int, LogFull]:
    """Append notes of 20,000 letters until the log is full."""
    for number in range(100):
        try:
            version = await log.append(Write(INC, version, (note(f"{number}", "x" * 20_000),)))
        except LogFull as error:
            return version, error
    raise AssertionError(f"still not full at version {version}")


async def kill_and_restart(server: NatsProcess, after_s: float, down_s: float) -> None:
    await asyncio.sleep(after_s)
    server.kill()
    await asyncio.sleep(down_s)
    server.start()


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_acknowledged_append_is_stored_exactly_once_across_kill_9(
    server: NatsProcess, log: NatsLog, seed: int
):
    chance = random.Random(seed)
    acknowledged: list[str] = []
    over = asyncio.Event()

    async def write(writer: int) -> None:
        stream, version, number = f"incident.INC-{writer}", NOTHING, 0
        while not over.is_set():
            number += 1
            # One event is a plain publish, several are an atomic batch: both must survive.
            events = tuple(note(f"{writer}-{number}-{part}") for part in range(chance.choice((1, 1, 3))))
            try:
                version = await log.append(Write(stream, version, events))
            except LogUnavailable:
                recorded = await read_when_back(log, stream)
                version = recorded[-1].seq if recorded else NOTHING
                continue
            acknowledged.extend(event.id for event in events)

    writers = [asyncio.create_task(write(number)) for number in range(8)]
    for _ in range(2):
        before = len(acknowledged)
        await kill_and_restart(server, after_s=chance.uniform(0.1, 0.4), down_s=chance.uniform(0.0, 0.5))
        await until(lambda before=before: len(acknowledged) >= before + 40)
    over.set()
    await asyncio.wait_for(asyncio.gather(*writers), WAIT_S)

    last = await log.last_position()
    stored = [body async for batch in log.bulk(after=0, through=last) for body in batch]
    assert [event.seq for event in stored] == list(range(1, last + 1))
    ids = [recorded.event.id for recorded in await log.read_category("incident")]
    assert len(ids) == len(set(ids)), "an event is stored twice"
    assert set(acknowledged) <= set(ids), "an acknowledged event is missing"
    assert len(acknowledged) == len(set(acknowledged))


async def read_when_back(log: NatsLog, stream: str):
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await log.read(stream)
            except LogUnavailable:
                await asyncio.sleep(0.05)


async def test_an_append_waits_for_a_server_that_restarts(server: NatsProcess, log: NatsLog):
    first = await log.append(Write(INC, NOTHING, (note("before"),)))
    server.kill()
    waiting = asyncio.create_task(log.append(Write(INC, first, (note("meanwhile"), note("meanwhile too")))))
    server.start()
    assert await asyncio.wait_for(waiting, WAIT_S) == first + 2
    assert [recorded.event.id for recorded in await log.read(INC)] == ["before", "meanwhile", "meanwhile too"]


async def test_following_goes_on_across_kill_9_without_gap_or_repeat(server: NatsProcess, log: NatsLog):
    heard: list[int] = []

    async def listen() -> None:
        async for batch in log.follow(after=NOTHING):
            heard.extend(stored.seq for stored in batch)

    listener = asyncio.create_task(listen())
    version = NOTHING
    for round_number in range(3):
        for number in range(50):
            version = await log.append(Write(INC, version, (note(f"{round_number}-{number}"),)))
            if number == 25:
                server.kill()
                server.start()
        await until(lambda version=version: len(heard) >= version)
    listener.cancel()
    assert heard == list(range(1, version + 1))


async def test_following_goes_on_when_its_consumer_is_taken_away(log: NatsLog, server: NatsProcess):
    version = await log.append(Write(INC, NOTHING, (note("one"),)))
    following = log.follow(after=NOTHING)
    assert [stored.seq for stored in await asyncio.wait_for(anext(following), WAIT_S)] == [version]
    client = await connect_client(server.url)
    js = client.jetstream()
    for info in await js.consumers_info(EVENTS):
        await js.delete_consumer(EVENTS, info.name)
    again = await log.append(Write(INC, version, (note("two"),)))
    assert [stored.seq for stored in await asyncio.wait_for(anext(following), WAIT_S)] == [again]
    (consumer,) = await js.consumers_info(EVENTS)
    assert consumer.config.inactive_threshold == 30, "what nobody follows any more must not stay"
    await following.aclose()
    await client.close()


async def test_a_follower_of_a_closed_connection_ends_with_an_error(server: NatsProcess, log: NatsLog):
    client = await connect_client(server.url)
    version = await log.append(Write(INC, NOTHING, (note("one"),)))
    following = NatsLog(client).follow(after=NOTHING)
    await asyncio.wait_for(anext(following), WAIT_S)
    waiting = asyncio.create_task(anext(following))
    await client.close()
    with pytest.raises(LogUnavailable, match=f"the connection was closed while following after position {version}"):
        await asyncio.wait_for(waiting, WAIT_S)


async def test_while_the_server_is_away_everything_says_so_and_nothing_hangs(server: NatsProcess):
    client = await connect_client(server.url)
    await declare_streams(client.jetstream())
    log, impatient = NatsLog(client), NatsLog(client, append_timeout_s=0.3)
    await log.append(Write(INC, NOTHING, (note("one"),)))
    server.kill()
    await until(lambda: not client.is_connected)
    attempts = [
        log.read(INC),
        log.read_category("incident"),
        log.last_of("incident", "noted"),
        log.get(1),
        log.last_position(),
        impatient.append(Write(INC, 1, (note("two"),))),
        anext(log.bulk(after=0, through=1)),
    ]
    outcomes = await asyncio.wait_for(asyncio.gather(*attempts, return_exceptions=True), WAIT_S)
    assert [type(outcome) for outcome in outcomes] == [LogUnavailable] * len(attempts)
    assert "the NATS server is away" in str(outcomes[5])
    assert "recount up" in outcomes[0].hint
    server.start()
    await until(lambda: client.is_connected)
    await client.close()


async def test_a_full_log_refuses_and_forgets_nothing(server: NatsProcess):
    client = await connect_client(server.url)
    await declare_streams(client.jetstream(), max_bytes=300_000)
    log = NatsLog(client)
    version, error = await append_until_refused(log)
    assert str(error) == "the log refused an append to incident.INC-42: maximum bytes exceeded"
    assert "docs/operating.md" in error.hint
    with pytest.raises(LogFull):
        await log.append(Write(INC, version, tuple(note(f"more {number}", "x" * 20_000) for number in range(3))))
    assert [recorded.seq for recorded in await log.read(INC)] == list(range(1, version + 1))
    await client.close()


async def test_a_server_without_storage_refuses_and_forgets_nothing(tmp_path: Path):
    server = NatsProcess(tmp_path, "jetstream { max_file_store: 300KB }").start()
    try:
        client = await connect_client(server.url)
        await declare_streams(client.jetstream())
        log = NatsLog(client, append_timeout_s=2)
        version, _error = await append_until_refused(log)
        with pytest.raises(LogFull):
            await log.append(Write(INC, version, tuple(note(f"more {number}", "x" * 20_000) for number in range(3))))
        assert [recorded.seq for recorded in await log.read(INC)] == list(range(1, version + 1))
        await client.close()
    finally:
        server.remove()


async def test_an_append_that_is_not_permitted_says_unavailable_in_time(tmp_path: Path):
    server = NatsProcess(
        tmp_path,
        """authorization { users: [
            { user: owner, password: secret }
            { user: reader, password: secret, permissions: { publish: { allow: ["$JS.API.>"] } } }
        ] }""",
    ).start()
    try:
        owner = await connect_client(server.url, user="owner", password="secret")
        await declare_streams(owner.jetstream())
        reader = await connect_client(server.url, user="reader", password="secret")
        log = NatsLog(reader, append_timeout_s=1)
        with pytest.raises(LogUnavailable, match=r"no answer to an append to incident\.INC-42"):
            await asyncio.wait_for(log.append(Write(INC, NOTHING, (note("one"),))), WAIT_S)
        with pytest.raises(LogUnavailable):
            await asyncio.wait_for(log.append(Write(INC, NOTHING, (note("two"), note("three")))), WAIT_S)
        assert await log.read(INC) == []
        await owner.close()
        await reader.close()
    finally:
        server.remove()


async def test_more_atomic_batches_at_once_than_the_server_takes_are_all_stored(server: NatsProcess, log: NatsLog):
    clients = [await connect_client(server.url) for _ in range(4)]
    logs = [NatsLog(client) for client in clients]
    # Half of what one server takes is held by batches that nobody will finish.
    for number in range(45):
        await clients[0].publish(
            "evt.incident.INC-0.noted", b"{}", headers={"Nats-Batch-Id": f"lost-{number}", "Nats-Batch-Sequence": "1"}
        )
    await clients[0].flush()
    positions = await asyncio.gather(
        *(
            logs[number % 4].append(
                Write(f"incident.INC-{number}", NOTHING, (note(f"{number}-a"), note(f"{number}-b")))
            )
            for number in range(200)
        )
    )
    assert len(set(positions)) == 200
    assert await log.last_position() == 400
    for client in clients:
        await client.close()


async def test_many_writers_of_one_stream_each_get_their_turn(server: NatsProcess, log: NatsLog):
    async def write(writer: int) -> int:
        tries = 0
        while True:
            tries += 1
            recorded = await log.read(INC)
            version = recorded[-1].seq if recorded else NOTHING
            try:
                await log.append(Write(INC, version, (note(f"{writer}-a"), note(f"{writer}-b"))))
            except Conflict:
                continue
            return tries

    await asyncio.wait_for(asyncio.gather(*(write(number) for number in range(20))), WAIT_S)
    ids = [recorded.event.id for recorded in await log.read(INC)]
    assert len(ids) == len(set(ids)) == 40
    assert all(first[:-1] == second[:-1] for first, second in zip(ids[::2], ids[1::2], strict=True))


async def test_a_closed_connection_is_told_at_once(server: NatsProcess, log: NatsLog):
    client = await connect_client(server.url)
    closed = NatsLog(client)
    await client.close()
    with pytest.raises(LogUnavailable, match="no answer to an append"):
        await asyncio.wait_for(closed.append(Write(INC, NOTHING, (note("one"),))), 1)
    with pytest.raises(LogUnavailable, match="did not answer"):
        await asyncio.wait_for(closed.read(INC), 1)


async def test_following_waits_for_a_stream_that_is_not_there_yet_and_says_so(
    server: NatsProcess, caplog: pytest.LogCaptureFixture
):
    client = await connect_client(server.url)
    log = NatsLog(client)
    first = asyncio.create_task(anext(log.follow(after=NOTHING)))
    await until(lambda: "following EVENTS after 0" in caplog.text)
    await declare_streams(client.jetstream())
    version = await log.append(Write(INC, NOTHING, (note("one"),)))
    assert [stored.seq for stored in await asyncio.wait_for(first, WAIT_S)] == [version]
    await client.close()


PASSWORD = "authorization { user: actors, password: secret }"
TOKEN = "authorization { token: secret }"


@pytest.mark.parametrize(
    ("settings", "login"),
    [
        (PASSWORD, {"user": "actors", "password": "secret"}),
        (TOKEN, {"token": "secret"}),
        # One that can only be asked of the client itself: the bulk read then goes through the client.
        (TOKEN, {"token": lambda: "secret"}),
    ],
    ids=["password", "token", "token from a function"],
)
async def test_bulk_reading_uses_the_clients_own_credentials(tmp_path: Path, settings: str, login: dict):
    server = NatsProcess(tmp_path, settings).start()
    try:
        client = Client()
        await client.connect(server.url, **login)
        await declare_streams(client.jetstream())
        log = NatsLog(client)
        version = await log.append(Write(INC, NOTHING, tuple(note(f"{number}") for number in range(1_000))))
        version = await log.append(Write(INC, version, tuple(note(f"more {number}") for number in range(500))))
        read = [stored async for batch in log.bulk(after=10, through=2_000) for stored in batch]
        assert [stored.seq for stored in read] == list(range(11, 1_501))
        assert read[0] == await log.get(11)
        await client.close()
    finally:
        server.remove()


async def test_a_bulk_read_that_is_cut_off_says_so(server: NatsProcess, log: NatsLog):
    version = NOTHING
    for batch in range(5):
        version = await log.append(Write(INC, version, tuple(note(f"{batch}-{n}") for n in range(1_000))))
    reading = log.bulk(after=NOTHING, through=version)
    await anext(reading)
    server.kill()

    async def read_on() -> None:
        async for _batch in reading:
            pass

    with pytest.raises(LogUnavailable, match="stopped answering a bulk read of 1 to 5000"):
        await asyncio.wait_for(read_on(), WAIT_S)


async def test_a_bulk_read_that_is_not_permitted_says_so(tmp_path: Path):
    server = NatsProcess(
        tmp_path,
        """authorization { users: [
            { user: owner, password: secret }
            { user: producer, password: secret, permissions: { publish: { allow: ["intake.>"] } } }
        ] }""",
    ).start()
    try:
        owner = await connect_client(server.url, user="owner", password="secret")
        await declare_streams(owner.jetstream())
        producer = await connect_client(server.url, user="producer", password="secret")
        with pytest.raises(LogUnavailable, match="Permissions Violation"):
            await asyncio.wait_for(anext(NatsLog(producer).bulk(after=0, through=1)), WAIT_S)
        await owner.close()
        await producer.close()
    finally:
        server.remove()


async def test_a_long_stream_of_large_events_is_read_whole(log: NatsLog):
    version = NOTHING
    for batch in range(13):
        version = await log.append(Write(INC, version, tuple(note(f"{batch}-{n}", "x" * 55_000) for n in range(100))))
    assert len(await log.read(INC)) == 1_300
    seqs = [stored.seq async for batch in log.bulk(after=0, through=version) for stored in batch]
    assert seqs == list(range(1, version + 1))
