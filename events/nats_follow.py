"""Following a stream on JetStream: an ordered pull consumer that is made again whenever anything is in doubt.

The consumer lives in the server's memory and is not acknowledged; the follower alone knows how far it is. Every
delivery carries the consumer's own running number. When one is missing (a message was lost with its connection) or no
heartbeat comes (the server died), a new consumer starts after the last event that was handed on.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.js import api

from events.errors import LogUnavailable
from events.nats_inbox import Inbox
from events.recorded import Stored, from_epoch_ns

logger = logging.getLogger("recount")

# One request for events, and so the largest batch that is handed on.
BATCH_MAX = 2_000
# A request ends by itself after this long; the server then forgets it.
REQUEST_S = 30.0
# While nothing happens the server says so this often; two in a row missing mean that it, or the consumer, is gone.
HEARTBEAT_S = 0.5
SILENCE_MAX_S = 2 * HEARTBEAT_S + 0.25
# The server drops a consumer when nobody has asked it for this long.
INACTIVE_S = 30.0
RETRY_PAUSE_S = 0.1
RETRY_PAUSE_MAX_S = 1.0

_NS = 1_000_000_000
_HEARTBEAT = "100"
# The request has ended: nothing there, its time is over, or its batch is complete.
_REQUEST_ENDED = frozenset({"404", "408"})


class _InDoubt(Exception):
    """A delivery may be missing: begin again after the last event that was handed on."""


class Follower:
    """Follows one stream from a position, for ever.

    Args:
        client: a connected client that reconnects by itself.
        stream: the JetStream stream.
    """

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._js = client.jetstream()
        self._stream = stream

    async def follow(self, *, after: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.follow`.

        Raises:
            LogUnavailable: the client was closed; a server that is away is waited for.
        """
        position = after
        pause_s = RETRY_PAUSE_S
        while not self._client.is_closed:
            consumer = _Consumer(self._client, self._js, self._stream)
            try:
                await consumer.open(position)
                while batch := await consumer.next_batch():
                    position = batch[-1].seq
                    pause_s = RETRY_PAUSE_S
                    yield batch
            except (_InDoubt, nats.errors.Error, TimeoutError) as error:
                # The first time may be a restart; what lasts is worth a line, though not one a try.
                if pause_s > RETRY_PAUSE_S:
                    logger.warning("following %s after %d: %r; trying again", self._stream, position, error)
            finally:
                await consumer.close()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_PAUSE_MAX_S)
        raise LogUnavailable(f"the connection was closed while following after position {position}")


class _Consumer:
    def __init__(self, client: Client, js: Any, stream: str) -> None:
        self._client = client
        self._js = js
        self._stream = stream
        self._name = ""
        self._inbox = Inbox(client)
        self._delivered = 0
        self._requested = 0

    async def open(self, after: int) -> None:
        info = await self._js.add_consumer(
            self._stream,
            api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=api.AckPolicy.NONE,
                inactive_threshold=INACTIVE_S,
                mem_storage=True,
            ),
        )
        self._name = info.name
        await self._inbox.open()
        await self._request()

    async def next_batch(self) -> list[Stored]:
        """What has arrived, at least one event: waits for the first, takes with it those that are here already."""
        batch: list[Stored] = []
        while not batch:
            await self._take(await self._inbox.next(SILENCE_MAX_S), batch)
        while len(batch) < BATCH_MAX and (message := self._inbox.next_arrived()):
            await self._take(message, batch)
        return batch

    async def close(self) -> None:
        # The server forgets the consumer by itself; a reader has no permission to delete one.
        await self._inbox.close()

    async def _take(self, message: Any, batch: list[Stored]) -> None:
        status = (message.headers or {}).get("Status") if not message.data else None
        if status == _HEARTBEAT:
            return
        if status in _REQUEST_ENDED:
            await self._request()
            return
        if status is not None:
            raise _InDoubt(f"the server answered {status} {message.headers.get('Description', '')}")
        self._delivered += 1
        number = delivery_number(message)
        if number != self._delivered:
            raise _InDoubt(f"delivery {number} came where {self._delivered} was due")
        batch.append(stored_from_delivery(message))
        self._requested -= 1
        if self._requested == 0:
            await self._request()

    async def _request(self) -> None:
        self._requested = BATCH_MAX
        request = {"batch": BATCH_MAX, "expires": int(REQUEST_S * _NS), "idle_heartbeat": int(HEARTBEAT_S * _NS)}
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._name}",
            json.dumps(request).encode(),
            reply=self._inbox.subject,
        )


# The reply subject of a delivered message is its metadata:
# $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time ns>.<pending>.<token>
# or the same without domain, account and token; counting from the stream's name serves both.
def _metadata(message: Any) -> list[str]:
    tokens: list[str] = message.reply.split(".")
    return tokens[4 if len(tokens) > 9 else 2 :]


def delivery_number(message: Any) -> int:
    """How many messages its consumer had delivered, this one included."""
    return int(_metadata(message)[4])


def stored_from_delivery(message: Any) -> Stored:
    """A message delivered by a consumer, as the log would return it.

    Its times are read from the reply subject, whose nanoseconds are exact; the client's own are floats.
    """
    metadata = _metadata(message)
    return Stored(int(metadata[3]), message.subject, from_epoch_ns(int(metadata[5])), message.data)
