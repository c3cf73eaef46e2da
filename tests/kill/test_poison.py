"""A message that a service cannot use becomes a dead letter, while everything else goes on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events import NOTHING, Event, Recorded, Write
from events.incident import Noted
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from services import broker as bus
from services.broker import attach, connect_client, make_broker
from tests.nats_process import NatsProcess

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WAIT_S = 30


class Picky:
    """A listener that cannot use what mentions poison."""

    name = "picky"
    hears = ("evt.incident.>",)

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.tries = 0

    async def on_event(self, event: Recorded) -> None:
        """See `Listener.on_event`."""
        assert isinstance(event.fact, Noted)
        if event.fact.text == "poison":
            self.tries += 1
            raise ValueError("this cannot be used")
        self.heard.append(event.fact.text)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsProcess]:
    process = NatsProcess(tmp_path).start()
    yield process
    process.remove()


def note(text: str) -> Event:
    return Event(id=f"id of {text}", fact=Noted(text=text), happened_at=NOON, source="recount/test")


async def test_a_poisoned_event_is_tried_then_set_aside_while_others_go_on(
    server: NatsProcess, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bus, "RETRY_PAUSES_S", (0.05, 0.05))
    client = await connect_client(server.url)
    await declare_streams(client.jetstream())
    log, listener = NatsLog(client), Picky()
    broker = make_broker(server.url)
    await attach(broker, client, log, listener)
    await broker.start()
    # Also bytes that are no event, and a subject that is no stream: from a client that got past everything else.
    await client.jetstream().publish("evt.incident.INC-9.exploded", b"not an event")
    await client.jetstream().publish("evt.incident", b"nor this")
    version = await log.append(Write("incident.INC-1", NOTHING, (note("before"),)))
    version = await log.append(Write("incident.INC-1", version, (note("poison"),)))
    await log.append(Write("incident.INC-1", version, (note("after"),)))
    await log.append(Write("incident.INC-2", NOTHING, (note("elsewhere"),)))

    async with asyncio.timeout(WAIT_S):
        while len(await log.read_category("deadletter")) < 2 or len(listener.heard) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert sorted(listener.heard) == ["after", "before", "elsewhere"]
    assert listener.tries == 3
    letters = {letter.fact.source_subject: letter.fact for letter in await log.read_category("deadletter")}
    assert letters["evt.incident.INC-1.noted"].error == "ValueError: this cannot be used"
    assert letters["evt.incident.INC-1.noted"].attempts == 3
    assert letters["evt.incident.INC-1.noted"].source_seq == version
    assert "Unreadable: position 1" in letters["evt.incident.INC-9.exploded"].error
    assert {letter.service for letter in letters.values()} == {"picky"}
    await broker.stop()
    await client.close()
