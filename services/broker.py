"""The bus: a FastStream broker on NATS, and how events of the log reach a listener.

Each listener has one durable consumer, shared by all copies of its service. A batch is fetched at once; events of one
stream are handled in order, of different streams concurrently, or all together by a `BatchListener`. A failure is tried
again after a pause; after the last try the event becomes a dead letter and the others go on.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import nats.errors
import nats.js.errors
from fast_depends.msgspec import MsgSpecSerializer
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from faststream.nats.subscriber.usecases import BatchPullStreamSubscriber
from faststream.security import SASLPlaintext
from nats.aio.client import Client as Client  # services name the type without importing nats
from nats.aio.msg import Msg

from events import Event, EventLog, Recorded, Write, decode
from events.audit import DeadLetterRecorded
from events.errors import Conflict, LogFull, LogUnavailable
from events.ids import derived_event_id, key_of
from events.nats_log import stored_from_delivery
from events.nats_streams import EVENTS, declare_consumer
from events.subjects import stream_from_subject
from services.command import ANSWER_TIMEOUT_S, COMMAND_ROOT, Answer, Order, decode_answer
from services.listener import BatchListener, Listener

logger = logging.getLogger("recount")

FETCH_EVENTS_MAX = 500
FETCH_TIMEOUT_S = 5.0
# The first tries cover a server that restarts; together they take about a minute and a half.
RETRY_PAUSES_S = (0.5, 2.0, 5.0, 15.0, 30.0, 30.0)
RECONNECT_PAUSE_S = 1  # a whole number: the client's own type
ERROR_TEXT_MAX = 2_000  # characters of an error kept in a dead letter


async def _fetch_what_is_there(self: Any) -> None:
    """FastStream's own loop waits until a batch is full or its timeout ends; this one takes what has arrived."""
    while self.running:
        messages: list[Msg] = []
        with suppress(
            TimeoutError,
            nats.errors.TimeoutError,
            nats.errors.ConnectionClosedError,
            nats.js.errors.ServiceUnavailableError,
        ):
            messages = await self.subscription.fetch(batch=self.pull_sub.batch_size, timeout=self.pull_sub.timeout)
        if messages and self.running:
            await self.consume(messages)


# Private in 0.7, hence the pin in pyproject.toml; tests/services/test_broker.py fails when it stops taking effect.
BatchPullStreamSubscriber._consume_pull = _fetch_what_is_there  # type: ignore[method-assign]


def make_broker(url: str, *, user: str | None = None, password: str | None = None, name: str = "recount") -> NatsBroker:
    """A broker that reconnects for ever and speaks msgspec."""
    return NatsBroker(
        url,
        security=SASLPlaintext(username=user, password=password or "") if user else None,
        name=name,
        serializer=MsgSpecSerializer(use_fastdepends_errors=False),
        logger=None,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_PAUSE_S,
        error_cb=_report,
    )


async def connect_client(url: str, *, user: str | None = None, password: str | None = None) -> Client:
    """A plain client with the same habits, for what has no handlers: the log, timers, bulk reads."""
    client = Client()
    await client.connect(
        url,
        user=user,
        password=password,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_PAUSE_S,
        error_cb=_report,
        allow_reconnect=True,
    )
    return client


async def attach(
    broker: NatsBroker,
    client: Client,
    log: EventLog,
    listener: Listener,
    *,
    retry_pauses_s: Sequence[float] | None = None,
) -> None:
    """Have a listener hear its events. Call it before the broker starts.

    Args:
        broker: delivers.
        client: declares the consumer.
        log: where dead letters are recorded.
        listener: hears.
        retry_pauses_s: one pause before each further try of an event that failed, in seconds; `RETRY_PAUSES_S` when
            left out.
    """
    pauses_s = RETRY_PAUSES_S if retry_pauses_s is None else retry_pauses_s
    durable = listener.name
    await declare_consumer(client.jetstream(), stream=EVENTS, durable=durable, filter_subjects=list(listener.hears))

    @broker.subscriber(
        "evt.>",  # the durable's own filters decide what arrives
        stream=JStream(EVENTS, declare=False),
        durable=durable,
        pull_sub=PullSub(batch_size=FETCH_EVENTS_MAX, timeout=FETCH_TIMEOUT_S, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_it_came,
        title=durable,
    )
    async def on_batch(message: NatsMessage) -> None:
        by_stream: dict[str, list[Msg]] = {}
        raws: Any = message.raw_message  # of a batch: a list
        if isinstance(listener, BatchListener) and len(raws) > 1:
            raws = await _handle_at_once(log, listener, raws, pauses_s)
        for raw in raws:
            by_stream.setdefault(stream_from_subject(raw.subject), []).append(raw)
        await asyncio.gather(*(_handle_in_order(log, listener, raws, pauses_s) for raws in by_stream.values()))


async def as_it_came(message: Any) -> Any:
    """A decoder that leaves the body alone. FastStream's own guesses from the bytes and drops what it cannot read; the
    handler answers that, or sets it aside, instead."""
    return message.body


async def _handle_at_once(
    log: EventLog, listener: BatchListener, raws: list[Msg], retry_pauses_s: Sequence[float]
) -> list[Msg]:
    """Have a batch handled as a whole. Returns what is to be handled one by one instead, because one of it fails."""
    events: list[Recorded] = []
    try:
        for raw in raws:
            events.append(decode(stored_from_delivery(raw)))
        await listener.on_events(events)
    except (LogUnavailable, LogFull) as error:  # one by one would only take longer to find out
        for raw in raws:
            await _failed(log, listener, raw, error, retry_pauses_s)
    except Exception as error:
        logger.warning("%s: %d events are handled one by one: %r", listener.name, len(raws), error)
        return raws
    else:
        for raw in raws:
            await raw.ack()
    return []


async def _handle_in_order(log: EventLog, listener: Listener, raws: list[Msg], retry_pauses_s: Sequence[float]) -> None:
    for raw in raws:
        try:
            await listener.on_event(decode(stored_from_delivery(raw)))
        except Exception as error:  # whatever a handler raises must not stop the others
            await _failed(log, listener, raw, error, retry_pauses_s)
        else:
            await raw.ack()


async def _failed(
    log: EventLog, listener: Listener, raw: Msg, error: Exception, retry_pauses_s: Sequence[float]
) -> None:
    tries = raw.metadata.num_delivered or 1
    if tries <= len(retry_pauses_s):
        logger.warning("%s: %s failed (try %d): %r", listener.name, raw.subject, tries, error)
        await raw.nak(delay=retry_pauses_s[tries - 1])
        return
    logger.error("%s: %s is set aside as a dead letter: %r", listener.name, raw.subject, error, exc_info=error)
    await set_aside(log, listener.name, EVENTS, raw.metadata.sequence.stream, raw.subject, error, tries)
    await raw.ack()


async def set_aside(
    log: EventLog, service: str, stream: Any, seq: int, subject: str, error: Exception, tries: int
) -> None:
    """Record a dead letter. Doing it twice for the same message records it once."""
    identifier = key_of(service, stream, str(seq))
    with suppress(Conflict):  # it is recorded already
        await log.append(
            Write(
                f"deadletter.{identifier}",
                0,
                (
                    Event(
                        id=derived_event_id(identifier, "recorded"),
                        fact=DeadLetterRecorded(
                            service=service,
                            source_stream=stream,
                            source_seq=seq,
                            source_subject=subject,
                            error=f"{type(error).__name__}: {error}"[:ERROR_TEXT_MAX],
                            attempts=tries,
                        ),
                        happened_at=datetime.now(UTC),
                        source=f"recount/{service}",
                    ),
                ),
            )
        )


async def ask(client: Client, service: str, verb: str, order: Order) -> Answer:
    """Ask a service and wait for its answer.

    Raises:
        LogUnavailable: nobody answered; the same order may be asked again.
    """
    return decode_answer.decode(await request(client, service, verb, order))


async def request(client: Client, service: str, verb: str, order: Order) -> bytes:
    """Ask a service and wait for its answer, as it came: for one that says more than `Done`.

    Raises:
        LogUnavailable: nobody answered; the same order may be asked again.
    """
    try:
        reply = await client.request(
            f"{COMMAND_ROOT}.{service}.{verb}", msgspec.json.encode(order), timeout=ANSWER_TIMEOUT_S
        )
    except (nats.errors.Error, TimeoutError) as error:
        raise LogUnavailable(
            f"no {service} service answered {verb!r}", hint="Are the actors running? `recount doctor` tells."
        ) from error
    return bytes(reply.data)


async def _report(error: Exception) -> None:
    # A forbidden publish reaches its caller only as a time-out; the reason comes here.
    logger.warning("nats: %s", error)
