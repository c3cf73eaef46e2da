"""A process's parts for intake, without its port and without keys."""

from pathlib import Path

from nats.aio.client import Client

from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from events.timers import NatsTimers
from services.broker import connect_client, make_broker
from services.clock import SystemClock
from services.context import Context
from services.keyring import Keyring
from services.secrets import ensure_secrets
from services.settings import Settings


async def emptied(url: str) -> Client:
    """A client of a server whose streams are new."""
    client = await connect_client(url)
    js = client.jetstream()
    for info in await js.streams_info():
        await js.delete_stream(info.config.name)
    await declare_streams(js)
    return client


async def context_of(url: str, folder: Path) -> Context:
    """What a process gives its services. Its broker is not started."""
    client = await connect_client(url)
    return Context(
        broker=make_broker(url),
        client=client,
        log=NatsLog(client),
        timers=NatsTimers(client),
        clock=SystemClock(),
        settings=Settings(),
        secrets=ensure_secrets(folder),
        keyring=Keyring(folder / "people"),
        data=folder,
    )
