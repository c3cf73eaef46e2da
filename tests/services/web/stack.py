"""A whole Recount in a thread, for tests over HTTP: nats-server, incidents, projector and web on free ports."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from events import Event, Write
from events.audit import TokenCreated
from events.ids import new_event_id
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from events.person import PersonAdded, PersonDetails
from events.sealing import seal
from events.timers import NatsTimers
from services.broker import connect_client, make_broker
from services.clock import SystemClock
from services.context import Context
from services.heartbeats.wiring import attach_heartbeats
from services.incidents.wiring import attach_incidents
from services.intake.wiring import Intake, attach_intake
from services.keyring import Keyring
from services.oncall.wiring import attach_oncall
from services.postmortem.render import render
from services.projector.wiring import attach_projector
from services.secrets import Secrets, ensure_secrets, hash_secret
from services.settings import Settings
from services.signals.wiring import attach_signals
from services.supervisor.nats_server import NatsServer
from services.web.app import make_app
from services.web.serving import WebServer

ADA, BOB, GRACE = "per-adaaaaaaaa", "per-bobbbbbbbb", "per-graceeeeee"
PEOPLE = {ADA: ("ada", "Ada Lovelace"), BOB: ("bob", "Bob Kahn"), GRACE: ("grace", "Grace Hopper")}
RESPONDER_SECRET = "the-responder-token-of-ada-lovelace"
START_S_MAX = 60.0


@dataclass
class Stack:
    """A running platform as a test sees it."""

    data: Path
    url: str = ""
    secrets: Secrets = field(init=False)
    clients: list[httpx.Client] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    actors: Context = field(init=False)
    intake: Intake = field(init=False)
    nats: NatsServer = field(init=False)
    server: WebServer = field(init=False)
    _stop: asyncio.Event = field(init=False)
    is_running: bool = True

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """A program with a token, the admin's when none is named; an empty one for nobody."""
        token = self.secrets.admin_token.secret if token is None else token
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=self.url, headers=credentials | headers, timeout=30)
        self.clients.append(client)
        return client

    @contextmanager
    def browser(self, handle: str = "ada") -> Iterator[httpx.Client]:
        """A browser in which somebody logged in."""
        with self.client("") as client:
            answer = client.post("/login", data={"token": self.secrets.admin_token.secret, "handle": handle})
            assert answer.status_code == 303, answer.text
            yield client

    def declare(self, title: str = "checkout answers 500", severity: str = "sev2", **fields: Any) -> str:
        """The id of an incident that ada declared, readable."""
        with self.client(**{"Recount-Actor": "ada"}) as client:
            body = {"title": title, "severity": severity, "service": "checkout"} | fields
            answer = client.post("/api/incidents", json=body)
            assert answer.status_code == 201, answer.text
            done = answer.json()
            client.get("/api/position", params={"min_position": done["seq"]}).raise_for_status()
            return str(done["target"])

    def position(self) -> int:
        """How far the log was read."""
        with self.client() as client:
            return int(client.get("/api/position").json()["position"])

    def append(self, stream: str, *facts: Any, at: datetime | None = None) -> int:
        """Write facts as a service would, and wait until they are readable."""

        async def work() -> int:
            history = await self.actors.log.read(stream)
            return await self.actors.log.append(
                Write(stream, history[-1].seq if history else 0, tuple(_event(fact, at) for fact in facts))
            )

        seq: int = self.ask(work)
        with self.client() as client:
            client.get("/api/position", params={"min_position": seq}).raise_for_status()
        return seq

    def ask(self, work: Callable[[], Any]) -> Any:
        """Run a coroutine function inside the platform's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(30)

    def stop(self) -> None:
        """Begin to stop, as SIGTERM does."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def run(self, ready: threading.Event) -> None:
        """Start everything, wait, and stop it in order."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.secrets = ensure_secrets(self.data)
        self.nats = nats = NatsServer(self.data / "nats", log_file=self.data / "nats.log", passwords=self.secrets.nats)
        async with AsyncExitStack() as parts:
            await nats.start()
            parts.push_async_callback(nats.stop)
            admin = await connect_client(nats.url, user="admin", password=self.secrets.nats["admin"])
            await declare_streams(admin.jetstream())
            await admin.close()
            actors = await self._context(nats.url, "actors", parts)
            readers = await self._context(nats.url, "readers", parts)
            await self._introduce(actors)
            await attach_signals(actors)
            await attach_incidents(actors)
            await attach_oncall(actors)
            self.intake = await attach_intake(actors)
            await attach_heartbeats(actors)
            await actors.broker.start()
            parts.push_async_callback(actors.broker.stop)
            projector = await attach_projector(readers)
            parts.push_async_callback(projector.stop)
            app = make_app(readers, projector, render_postmortem=render)
            self.actors = actors
            self.server = WebServer(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on"))
            serving = asyncio.create_task(self.server.serve())
            while not self.server.started:
                assert not serving.done(), serving.exception()
                await asyncio.sleep(0.01)
            self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
            ready.set()
            await self._stop.wait()
            self.server.should_exit = True
            await serving

    async def _context(self, url: str, user: str, parts: AsyncExitStack) -> Context:
        password = self.secrets.nats[user]
        client = await connect_client(url, user=user, password=password)
        parts.push_async_callback(client.close)
        return Context(
            broker=make_broker(url, user=user, password=password),
            client=client,
            log=NatsLog(client),
            timers=NatsTimers(client),
            clock=SystemClock(),
            settings=Settings(),
            secrets=self.secrets,
            keyring=Keyring(self.data / "people"),
            data=self.data,
        )

    async def _introduce(self, context: Context) -> None:
        for person_id, (handle, name) in PEOPLE.items():
            sealed = seal(PersonDetails(handle=handle, name=name), context.keyring.create(person_id), person_id)
            await context.log.append(Write(f"person.{person_id}", 0, (_event(PersonAdded(sealed=sealed)),)))
        admin = self.secrets.admin_token
        tokens = {
            admin.id: TokenCreated(scope="admin", secret_sha256=admin.sha256),
            "tok-ada": TokenCreated(scope="responder", secret_sha256=hash_secret(RESPONDER_SECRET), person_id=ADA),
        }
        for token_id, fact in tokens.items():
            await context.log.append(Write(f"token.{token_id}", 0, (_event(fact),)))


@contextmanager
def running(data: Path) -> Iterator[Stack]:
    """A platform that runs for as long as the block."""
    stack = Stack(data)
    ready = threading.Event()
    failed: list[BaseException] = []

    def live() -> None:
        try:
            asyncio.run(stack.run(ready))
        except BaseException as error:
            failed.append(error)
        stack.is_running = False
        ready.set()

    thread = threading.Thread(target=live, name="recount")
    thread.start()
    try:
        assert ready.wait(START_S_MAX)
        if not failed:
            yield stack
    finally:
        for client in stack.clients:
            client.close()
        if stack.is_running:
            stack.stop()
        thread.join(START_S_MAX)
        assert not thread.is_alive(), "the platform did not stop"
    if failed:
        raise failed[0]


def eventually(holds: Callable[[], Any], *, within_s: float = 15.0) -> Any:
    """The first truthy answer of a question, asked until it comes."""
    deadline = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"did not come true within {within_s} s"
        time.sleep(0.02)
    return found


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def _event(fact: Any, at: datetime | None = None) -> Event:
    return Event(id=new_event_id(), fact=fact, happened_at=at or now(), source="recount/test")
