"""How events of the log reach a listener: at once, in order within a stream, again after a failure, and then aside."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber

from events import Event, LogUnavailable, Recorded, Write
from events.audit import DeadLetterRecorded, SystemStarted, SystemStopped
from events.ids import new_event_id
from events.nats_log import NatsLog
from services import broker as broker_module
from services.broker import (
    ANSWER_TIMEOUT_S,
    FETCH_EVENTS_MAX,
    FETCH_TIMEOUT_S,
    ask,
    attach,
    connect_client,
    make_broker,
)
from services.command import Order

# Far below FETCH_TIMEOUT_S, far above what a delivery takes on a busy machine.
AT_ONCE_S = FETCH_TIMEOUT_S / 2
WAIT_S = 20.0
NO_PAUSES_S = (0.01, 0.01)


class Hearer:
    """A listener that remembers what it heard, and fails where a test wants it."""

    hears = ("evt.system.>",)

    def __init__(self, name: str = "hearer", *, fails: Callable[[Recorded, int], bool] = lambda event, times: False):
        self.name = name
        self.heard: list[Recorded] = []
        self.tries: list[int] = []
        self._fails = fails
        self._changed = asyncio.Condition()

    async def on_event(self, event: Recorded) -> None:
        self.tries.append(event.seq)
        async with self._changed:
            self._changed.notify_all()
        if self._fails(event, self.tries.count(event.seq)):
            raise ValueError(f"{event.stream} cannot be used")
        self.heard.append(event)
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, condition: Callable[[], bool], within_s: float = WAIT_S) -> None:
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def delivering(url: str, log: NatsLog, *hearers: Hearer) -> AsyncIterator[None]:
    client = await connect_client(url)
    broker = make_broker(url)
    for hearer in hearers:
        await attach(broker, client, log, hearer, retry_pauses_s=NO_PAUSES_S)
    await broker.start()
    try:
        yield
    finally:
        await broker.stop()
        await client.close()


async def start(log: NatsLog, instance: str) -> int:
    fact = SystemStarted(process="actors", version="0.1.0")
    return await log.append(Write(f"system.{instance}", 0, (event_of(fact),)))


def event_of(fact: SystemStarted | SystemStopped) -> Event:
    return Event(id=new_event_id(), fact=fact, happened_at=datetime.now(UTC), source="recount/actors")


async def dead_letters(log: NatsLog) -> list[DeadLetterRecorded]:
    facts = [recorded.fact for recorded in await log.read_category("deadletter")]
    return [fact for fact in facts if isinstance(fact, DeadLetterRecorded)]


async def test_a_lone_event_does_not_wait_for_its_batch_to_fill(nats_url: str, nats_log: NatsLog):
    hearer = Hearer()
    async with delivering(nats_url, nats_log, hearer):
        seq = await start(nats_log, "lone")
        await hearer.wait_for(lambda: bool(hearer.heard), within_s=AT_ONCE_S)
    assert [event.seq for event in hearer.heard] == [seq]
    assert FETCH_EVENTS_MAX > 1


def test_the_batch_fetch_is_the_one_that_takes_what_is_there():
    assert BatchPullStreamSubscriber._consume_pull is broker_module._fetch_what_is_there


async def test_events_of_before_are_delivered_and_many_at_once(nats_url: str, nats_log: NatsLog):
    seqs = [await start(nats_log, f"early-{number}") for number in range(30)]
    hearer = Hearer()
    async with delivering(nats_url, nats_log, hearer):
        await hearer.wait_for(lambda: len(hearer.heard) == len(seqs))
    assert sorted(event.seq for event in hearer.heard) == seqs


async def test_one_stream_is_heard_in_order(nats_url: str, nats_log: NatsLog):
    position = 0
    for fact in [SystemStarted(process="actors", version="0.1.0"), SystemStopped(process="actors")] * 10:
        position = await nats_log.append(Write("system.one", position, (event_of(fact),)))
    hearer = Hearer()
    async with delivering(nats_url, nats_log, hearer):
        await hearer.wait_for(lambda: len(hearer.heard) == 20)
    heard = [event.seq for event in hearer.heard]
    assert heard == sorted(heard)


async def test_what_failed_is_delivered_again_until_it_succeeds(nats_url: str, nats_log: NatsLog):
    hearer = Hearer(fails=lambda event, times: times < 3)
    async with delivering(nats_url, nats_log, hearer):
        seq = await start(nats_log, "stubborn")
        await hearer.wait_for(lambda: bool(hearer.heard))
    assert hearer.tries == [seq, seq, seq]
    assert await dead_letters(nats_log) == []


async def test_what_always_fails_becomes_one_dead_letter_and_the_others_go_on(nats_url: str, nats_log: NatsLog):
    hearer = Hearer(fails=lambda event, times: event.stream == "system.poison")
    async with delivering(nats_url, nats_log, hearer):
        poison = await start(nats_log, "poison")
        others = [await start(nats_log, f"healthy-{number}") for number in range(3)]
        await hearer.wait_for(lambda: len(hearer.heard) == 3 and len(hearer.tries) == 3 + 1 + len(NO_PAUSES_S))
        # A new event shows that the consumer is not stuck behind the poison; by then it is set aside.
        others.append(await start(nats_log, "late"))
        await hearer.wait_for(lambda: len(hearer.heard) == 4)
        letters = await until_there(lambda: dead_letters(nats_log))
    assert sorted(event.seq for event in hearer.heard) == others
    assert hearer.tries.count(poison) == 1 + len(NO_PAUSES_S)
    [letter] = letters
    assert (letter.service, letter.source_stream, letter.source_seq) == ("hearer", "EVENTS", poison)
    assert letter.source_subject == "evt.system.poison.started"
    assert letter.error == "ValueError: system.poison cannot be used"
    assert letter.attempts == 1 + len(NO_PAUSES_S)


async def test_bytes_that_are_no_event_are_set_aside_too(nats_url: str, nats_log: NatsLog):
    client = await connect_client(nats_url)
    await client.jetstream().publish("evt.system.garbled.started", b"\xff{")
    await client.close()
    hearer = Hearer()
    async with delivering(nats_url, nats_log, hearer):
        await start(nats_log, "after")
        await hearer.wait_for(lambda: bool(hearer.heard))
        [letter] = await until_there(lambda: dead_letters(nats_log))
    assert letter.source_subject == "evt.system.garbled.started"
    assert letter.error.startswith("Unreadable: ")


async def test_two_copies_of_a_service_share_the_work(nats_url: str, nats_log: NatsLog):
    one, other = Hearer("shared"), Hearer("shared")
    async with delivering(nats_url, nats_log, one), delivering(nats_url, nats_log, other):
        seqs = [await start(nats_log, f"shared-{number}") for number in range(20)]
        await until_there(lambda: collected(one, other, len(seqs)))
    assert sorted(event.seq for event in one.heard + other.heard) == seqs


async def test_a_restarted_service_goes_on_where_it_was(nats_url: str, nats_log: NatsLog):
    first, second = Hearer("resuming"), Hearer("resuming")
    async with delivering(nats_url, nats_log, first):
        await start(nats_log, "before")
        await first.wait_for(lambda: bool(first.heard))
    later = await start(nats_log, "meanwhile")
    async with delivering(nats_url, nats_log, second):
        await second.wait_for(lambda: bool(second.heard))
    assert [event.seq for event in second.heard] == [later]


async def test_asking_a_service_that_does_not_run_says_so_at_once(nats_url: str):
    client = await connect_client(nats_url)
    order = Order(id="1", actor="service:test", issued_at=datetime.now(UTC), command=b"{}")
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S / 2):
            with pytest.raises(LogUnavailable, match="no incident service answered 'note'"):
                await ask(client, "incident", "note", order)
    finally:
        await client.close()


async def collected(one: Hearer, other: Hearer, count: int) -> bool:
    return len(one.heard) + len(other.heard) >= count


async def until_there(question):
    """The first answer to a question that is not empty."""
    async with asyncio.timeout(WAIT_S):
        while not (answer := await question()):  # noqa: ASYNC110 - the log tells nobody of this
            await asyncio.sleep(0.01)
        return answer
