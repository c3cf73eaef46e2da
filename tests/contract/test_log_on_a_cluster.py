"""The log on three servers, of which one dies: nothing acknowledged is lost, and writing goes on."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.js.errors import APIError

from events import NOTHING, Conflict, Event, Write
from events.errors import LogUnavailable
from events.incident import Noted
from events.nats_log import NatsLog
from events.nats_streams import EVENTS, declare_streams
from services.broker import connect_client
from tests.nats_process import BINARY, free_port

pytestmark = pytest.mark.soak

INC = "incident.INC-42"
SERVERS = 3
WRITERS = 4
WAIT_S = 60


class Cluster:
    """Three nats-servers that know each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [free_port() for _ in range(SERVERS)]
        self._routes = [free_port() for _ in range(SERVERS)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, number: int) -> None:
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in self._routes)
        config = self._folder / f"server-{number}.conf"
        config.write_text(
            f'server_name: server-{number}\nlisten: "127.0.0.1:{self._ports[number]}"\n'
            f'jetstream {{ store_dir: "{self._folder / str(number)}" }}\n'
            f'cluster {{ name: recount, listen: "127.0.0.1:{self._routes[number]}", routes: [{routes}] }}\n'
        )
        self._processes[number] = subprocess.Popen(
            [BINARY, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self, number: int) -> None:
        self._processes[number].kill()
        self._processes.pop(number).wait()

    @property
    def urls(self) -> list[str]:
        return [f"nats://127.0.0.1:{port}" for port in self._ports]

    def end(self) -> None:
        for number in list(self._processes):
            self.kill(number)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path)
    try:
        for number in range(SERVERS):
            cluster.start(number)
        yield cluster
    finally:
        cluster.end()


async def declared(cluster: Cluster):
    """A client of the first server, once the cluster has streams with three replicas."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                client = await connect_client(cluster.urls[0])
                await declare_streams(client.jetstream(timeout=10), replicas=SERVERS)
            except (OSError, TimeoutError, APIError):
                await asyncio.sleep(0.5)
            else:
                return client


async def test_the_leader_dies_under_load_and_nothing_acknowledged_is_lost_or_doubled(cluster: Cluster):
    client = await declared(cluster)
    log = NatsLog(client)
    acknowledged: list[str] = []
    over = asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            events = tuple(
                Event(
                    id=f"{writer}-{number}-{part}",
                    fact=Noted(text="looking at checkout"),
                    happened_at=datetime.now(UTC),
                    source="recount/test",
                )
                for part in range(1 + number % 2)
            )
            try:
                history = await log.read(INC)
                await log.append(Write(INC, history[-1].seq if history else NOTHING, events))
            except (Conflict, LogUnavailable):
                continue
            acknowledged.extend(event.id for event in events)

    async def answered(count: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while len(acknowledged) < count:  # noqa: ASYNC110 - the condition is not ours to signal
                await asyncio.sleep(0.05)

    writers = [asyncio.create_task(write(number)) for number in range(WRITERS)]
    await answered(50)
    info = await client.jetstream().stream_info(EVENTS)
    leader = int(info.cluster.leader.removeprefix("server-"))
    cluster.kill(leader)
    await answered(len(acknowledged) + 50)
    cluster.start(leader)
    await answered(len(acknowledged) + 50)
    over.set()
    await asyncio.wait_for(asyncio.gather(*writers), WAIT_S)

    ids = [recorded.event.id for recorded in await log.read(INC)]
    assert len(ids) == len(set(ids))
    assert set(acknowledged) <= set(ids)
    await client.close()
