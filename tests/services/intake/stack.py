"""Intake on real parts: a broker, the HTTP port, and one integration key a sender."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from nats.aio.client import Client

from events import Fact, Recorded
from events.nats_intake import NatsReceipts
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from events.timers import NatsTimers
from services.broker import ask, connect_client, make_broker
from services.clock import SystemClock
from services.command import Answer, Done, Order, verb_of
from services.context import Context
from services.intake.adapters import adapters
from services.intake.commands import CreateKey, IntakeCommand
from services.intake.keys import secret_sha256
from services.intake.public_web import PublicWeb
from services.intake.serving import make_server
from services.intake.wiring import attach_intake, make_app
from services.keyring import Keyring
from services.secrets import ensure_secrets
from services.settings import Settings

PATIENCE_S = 20.0
# Long enough that repeats share a fact, short enough that a test is idle at once.
REPEATS_AGE_S = 0.05


async def eventually(holds: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait until something holds, and return it."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        found = await holds()
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, f"after {PATIENCE_S:.0f} s still not: {what}"
        await asyncio.sleep(0.02)  # the condition is in other processes


@dataclass
class Stack:
    """A running intake, and what a test asks of it."""

    context: Context
    client: Client
    log: NatsLog
    receipts: NatsReceipts
    http: httpx.AsyncClient
    url: str
    secrets: dict[str, str]
    """The secret of each sender's key; its id is ``key-<sender>``."""

    async def facts(self, category: str = "alert") -> list[Recorded]:
        """Every fact of a category."""
        return await self.log.read_category(category)

    async def names(self, category: str = "alert") -> list[str]:
        """What kinds of fact there are, in order."""
        return [type(recorded.fact).__name__ for recorded in await self.facts(category)]

    async def said(self, *names: str, category: str = "alert") -> list[Fact]:
        """Wait until exactly these kinds of fact are there."""

        async def is_said() -> bool:
            return await self.names(category) == list(names)

        await eventually(is_said, f"{category} facts {names}, but {await self.names(category)}")
        return [recorded.fact for recorded in await self.facts(category)]

    async def post(self, path: str, content: bytes | str | dict | list, **headers: str) -> httpx.Response:
        """Post to the door."""
        body = msgspec.json.encode(content) if isinstance(content, dict | list) else content
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, content=body, headers=named)

    def hook(self, sender: str) -> str:
        """The path at which a sender posts."""
        return f"/hooks/{sender}/{self.secrets[sender]}"

    async def order(self, command: IntakeCommand, *, order_id: str = "", target: str = "") -> Answer:
        """Ask intake for something."""
        order = Order(
            id=order_id or uuid4().hex,
            actor="per-ada",
            issued_at=datetime.now(UTC),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target,
        )
        return await ask(self.client, "intake", verb_of(command), order)

    async def receipt_count(self) -> int:
        """How many receipts INTAKE holds."""
        return int((await self.client.jetstream().stream_info("INTAKE")).state.messages)

    async def is_idle(self) -> bool:
        """Whether every receipt has been dealt with."""
        info = await self.client.jetstream().consumer_info("INTAKE", "intake")
        return info.num_pending == 0 and info.num_ack_pending == 0


@asynccontextmanager
async def running(
    url: str, folder: Path, *, queue_max: int = 2_000, copies: int = 1, web: PublicWeb | None = None
) -> AsyncIterator[Stack]:
    """A running intake on empty streams.

    Args:
        url: of a nats-server without accounts.
        folder: a data folder.
        queue_max: how many receipts may wait for the disk.
        copies: how many translators run at once.
        web: what stands for the Internet; None for the real one.
    """
    client = await connect_client(url)
    js = client.jetstream()
    for info in await js.streams_info():
        await js.delete_stream(info.config.name)
    await declare_streams(js)
    log = NatsLog(client)
    contexts = []
    for _copy in range(copies):
        broker = make_broker(url)
        context = Context(
            broker=broker,
            client=client,
            log=log,
            timers=NatsTimers(client),
            clock=SystemClock(),
            settings=Settings(),
            secrets=ensure_secrets(folder),
            keyring=Keyring(folder / "people"),
            data=folder,
        )
        await attach_intake(context, repeats_age_s=REPEATS_AGE_S, web=web)
        await broker.start()
        contexts.append(context)
    receipts = NatsReceipts(client, queue_max=queue_max)
    server = make_server(make_app(contexts[0], receipts=receipts, web=web), "127.0.0.1", 0)
    serving = asyncio.create_task(server.serve())

    try:

        async def is_started() -> bool:
            return server.started or serving.done()

        await eventually(is_started, "the port is open")
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=30) as http:
            stack = Stack(contexts[0], client, log, receipts, http, address, {})
            for sender in adapters():
                stack.secrets[sender] = uuid4().hex
                key = CreateKey(
                    sender=sender, secret_sha256=secret_sha256(stack.secrets[sender]), key_id=f"key-{sender}"
                )
                answer = await stack.order(key)
                assert isinstance(answer, Done), answer
            yield stack
    finally:
        server.should_exit = True
        await serving
        for context in contexts:
            await context.broker.stop()
        await client.close()
