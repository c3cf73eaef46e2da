"""The event log on NATS JetStream.

An append is one publish with a version check, or an atomic batch (ADR-50) when it holds several events. The version
check names the stream's filter, because `Nats-Expected-Last-Subject-Sequence` alone looks at one exact subject.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import api

from events.errors import Conflict, InvalidEvent, LogFull, LogUnavailable
from events.log import EVENTS_PER_APPEND_MAX, NOTHING, Write
from events.nats_direct_get import DirectGet
from events.nats_streams import EVENTS
from events.recorded import CONTENT_TYPE, Recorded, Stored, decode, encode, from_epoch_ns
from events.subjects import every_fact_of, every_stream_of

# How long one append waits for its acknowledgement. A synced write takes milliseconds; a restarting server, seconds.
APPEND_TIMEOUT_S = 5.0
# After a time-out the write may still be in flight: look for it this often before giving up.
SETTLE_ATTEMPTS = 5
SETTLE_PAUSE_S = 0.2

FOLLOW_BATCH_MAX = 2_000
FOLLOW_POLL_S = 5.0
# The server drops a follower's consumer when nobody has pulled for this long.
FOLLOW_INACTIVE_S = 60.0
RETRY_PAUSE_S = 0.25
BULK_BATCH = 1_000

_WRONG_LAST_SEQUENCE = 10071
_DUPLICATE_IN_BATCH = 10201
_NO_ROOM = {
    10047,
    10054,
    10077,
    10122,
}  # storage exceeded, message or byte limits of stream and account

_Message = tuple[str, bytes, dict[str, str]]


class NatsLog:
    """An `EventLog` on the stream EVENTS.

    Args:
        client: a connected client with `max_reconnect_attempts=-1` and an `error_cb`: a forbidden publish shows only
            there.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._js = client.jetstream(timeout=APPEND_TIMEOUT_S)
        self._direct = DirectGet(client, EVENTS)

    async def append(self, *writes: Write) -> int:
        """See `EventLog.append`."""
        messages = [message for write in writes for message in _messages(write)]
        if not 1 <= len(messages) <= EVENTS_PER_APPEND_MAX or not all(write.events for write in writes):
            raise InvalidEvent(
                f"one append takes 1 to {EVENTS_PER_APPEND_MAX} events and one or more a write, not {len(messages)}"
            )
        try:
            if len(messages) == 1:
                return await self._publish(*messages[0])
            return await self._publish_batch(messages)
        except nats.js.errors.APIError as error:
            return await self._explain(error.err_code, error.description or str(error), writes)
        except (
            nats.errors.TimeoutError,
            nats.errors.NoRespondersError,
            nats.js.errors.NoStreamResponseError,
        ) as error:
            stored = await self._settle(writes)
            if stored is None:
                raise LogUnavailable(f"no answer to an append to {_names(writes)}: {error}") from error
            return stored

    async def read(self, stream: str, *, after: int = NOTHING) -> list[Recorded]:
        """See `EventLog.read`."""
        return [decode(stored) for stored in await self._direct.matching(every_fact_of(stream), after=after)]

    async def read_category(self, category: str) -> list[Recorded]:
        """See `EventLog.read_category`."""
        return [decode(stored) for stored in await self._direct.matching(every_stream_of(category), after=NOTHING)]

    async def last_of(self, category: str, name: str) -> Recorded | None:
        """See `EventLog.last_of`."""
        stored = await self._direct.last(f"evt.{category}.*.{name}")
        return decode(stored) if stored else None

    async def get(self, seq: int) -> Stored | None:
        """See `EventLog.get`."""
        return await self._direct.at(seq)

    async def last_position(self) -> int:
        """See `EventLog.last_position`."""
        try:
            return int((await self._js.stream_info(EVENTS)).state.last_seq)
        except (nats.errors.Error, TimeoutError) as error:
            raise LogUnavailable(f"the log does not say how long it is: {error}") from error

    async def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.follow`."""
        position = after
        while True:
            with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
                subscription = await self._follower(position)
                try:
                    while True:
                        try:
                            messages = await subscription.fetch(FOLLOW_BATCH_MAX, timeout=FOLLOW_POLL_S)
                        except nats.errors.TimeoutError:
                            # A quiet log and a consumer that went with its server look alike: ask.
                            await subscription.consumer_info()
                            continue
                        batch = [stored_from_delivery(message) for message in messages]
                        if batch[0].seq != position + 1:
                            break  # a batch from before a reconnect, or a gap: start again from what was seen
                        position = batch[-1].seq
                        yield batch
                finally:
                    with suppress(nats.errors.Error, TimeoutError):
                        await subscription.unsubscribe()
            await asyncio.sleep(RETRY_PAUSE_S)

    async def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.bulk`."""
        position = after
        while position < through:
            batch = await self._direct.batch(position + 1, min(BULK_BATCH, through - position))
            if not batch:
                return
            position = batch[-1].seq
            yield batch

    async def _follower(self, after: int) -> Any:
        return await self._js.pull_subscribe(
            subject="",
            stream=EVENTS,
            config=api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=api.AckPolicy.NONE,
                inactive_threshold=FOLLOW_INACTIVE_S,
                mem_storage=True,
            ),
        )

    async def _publish(self, subject: str, body: bytes, headers: dict[str, str]) -> int:
        ack = await self._js.publish(subject, body, timeout=APPEND_TIMEOUT_S, headers=headers)
        return int(ack.seq)

    async def _publish_batch(self, messages: list[_Message]) -> int:
        batch_id = uuid4().hex
        *first, last = [
            (
                subject,
                body,
                {**headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)},
            )
            for number, (subject, body, headers) in enumerate(messages, start=1)
        ]
        for subject, body, headers in first:
            await self._client.publish(subject, body, headers=headers)
        subject, body, headers = last
        reply = await self._client.request(
            subject, body, headers={**headers, "Nats-Batch-Commit": "1"}, timeout=APPEND_TIMEOUT_S
        )
        answer = json.loads(reply.data)
        if "error" in answer:
            raise nats.js.errors.APIError(
                **{key: answer["error"].get(key) for key in ("code", "err_code", "description")}
            )
        return int(answer["seq"])

    async def _explain(self, code: int | None, description: str, writes: tuple[Write, ...]) -> int:
        if code in (_WRONG_LAST_SEQUENCE, _DUPLICATE_IN_BATCH):
            # The version check wins over the message id, so a retry of a stored append looks like a conflict.
            stored = await self._find(writes)
            if stored is not None:
                return stored
            for write in writes:
                actual = await self._version(write.checked)
                if actual != write.after:
                    raise Conflict(write.checked, expected=write.after, actual=actual)
            raise InvalidEvent(f"an event id of the append to {_names(writes)} is already in the log: {description}")
        if code in _NO_ROOM:
            raise LogFull(f"the log refused an append to {_names(writes)}: {description}")
        raise LogUnavailable(f"the log refused an append to {_names(writes)}: {description} ({code})")

    async def _settle(self, writes: tuple[Write, ...]) -> int | None:
        for _attempt in range(SETTLE_ATTEMPTS):
            with suppress(LogUnavailable):
                stored = await self._find(writes)
                if stored is not None:
                    return stored
            await asyncio.sleep(SETTLE_PAUSE_S)
        return None

    async def _find(self, writes: tuple[Write, ...]) -> int | None:
        """The position of an earlier append of the same events, when all of them are stored."""
        positions = {}
        for write in writes:
            for recorded in await self.read(write.stream, after=write.after):
                positions[recorded.event.id] = recorded.seq
        wanted = [event.id for write in writes for event in write.events]
        return max(positions[i] for i in wanted) if all(i in positions for i in wanted) else None

    async def _version(self, stream: str) -> int:
        stored = await self._direct.last(every_fact_of(stream))
        return stored.seq if stored else NOTHING


def _messages(write: Write) -> list[_Message]:
    messages: list[_Message] = []
    for event in write.events:
        subject, body = encode(write.stream, event)
        headers = {"Nats-Msg-Id": event.id, "Content-Type": CONTENT_TYPE}
        if not messages:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(write.after)
            # The server does not check that this filter covers the subject. It does, unless the write rests on another.
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = every_fact_of(write.checked)
        messages.append((subject, body, headers))
    return messages


def stored_from_delivery(message: Any) -> Stored:
    """A message delivered by a consumer, as the log would return it.

    Its times are read from the reply subject, whose nanoseconds are exact; the client's own are floats.
    """
    # The reply subject of a delivered message is its metadata:
    # $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>.<token>
    # or the same without domain, account and token; counting from the stream's name serves both.
    tokens = message.reply.split(".")
    base = 4 if len(tokens) > 9 else 2
    return Stored(int(tokens[base + 3]), message.subject, from_epoch_ns(int(tokens[base + 5])), message.data)


def _names(writes: tuple[Write, ...]) -> str:
    return ", ".join(write.stream for write in writes)
