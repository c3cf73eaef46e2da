"""Receipts on the stream INTAKE: many concurrent requests share one atomic batch, and so one sync to disk.

What came through a checked integration key lies on ``intake.<source>.<key id>``; what a producer published itself lies
on ``intake.<source>``. A producer may publish no longer subject, so it cannot claim to be an integration.
"""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo

from events.errors import IntakeBusy, LogError, LogFull, LogUnavailable
from events.nats_batch import publish_batch, publish_one
from events.nats_log import stored_from_delivery
from events.nats_receipt_search import find_message
from events.nats_streams import INTAKE, INTAKE_SUBJECT_ROOT
from events.receipt import NATS_INTEGRATION, Receipt

# How long a request may wait for the disk. A synced write takes milliseconds; senders give up after 10 to 30 seconds.
STORE_TIMEOUT_S = 5.0
# More than this in one batch gains no throughput and makes the first request of the batch wait for the last.
BATCH_RECEIPTS_MAX = 256
# Bounds what one commit writes at once, and how long it takes; well under what the server buffers for a batch.
BATCH_BYTES_MAX = 4 * 1024 * 1024
# An atomic batch costs the server about 2.5 ms however small it is, a single message 0.25 ms when others are on their
# way too (measured, synced): so few go singly, and many share.
SINGLES_MAX = 10
# What may wait for a batch. At 4,000 requests a second this is half a second of work; more would be answered too late.
QUEUE_RECEIPTS_MAX = 2_000
# And what may wait in memory: actors promise to stay under 250 MiB.
QUEUE_BYTES_MAX = 64 * 1024 * 1024

TRANSLATOR = "intake"
"""Durable consumer of INTAKE that turns receipts into facts."""

RECEIVED_HEADER = "Recount-Received"
CONTENT_TYPE_HEADER = "Content-Type"
# Headers of the message that are the server's or ours; every other one belongs to the payload.
_OWN_HEADERS = (RECEIVED_HEADER.lower(), CONTENT_TYPE_HEADER.lower(), "nats-")

_AWAY = "the NATS server is away"
# Storage exceeded, message or byte limits of stream and account.
_NO_ROOM = {10047, 10054, 10077, 10122}


class _Waiting:
    __slots__ = ("body", "done", "headers", "size", "subject")

    def __init__(self, receipt: Receipt) -> None:
        self.subject = receipt.subject
        self.body = receipt.body
        self.headers = {
            RECEIVED_HEADER: receipt.received_at.isoformat(),
            **receipt.headers,
        }
        if receipt.content_type:
            self.headers[CONTENT_TYPE_HEADER] = receipt.content_type
        self.size = len(receipt.body)
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()


class NatsReceipts:
    """`events.receipt.Receipts` on JetStream.

    Args:
        client: a connected client that reconnects by itself.
        queue_max: how many receipts may wait for the disk.
    """

    def __init__(self, client: Client, *, queue_max: int = QUEUE_RECEIPTS_MAX) -> None:
        self._client = client
        self._js = client.jetstream(timeout=STORE_TIMEOUT_S)
        self._queue_max = queue_max
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._storing: asyncio.Task[None] | None = None

    @property
    def depth(self) -> int:
        """How many receipts wait for a batch."""
        return len(self._waiting)

    async def put(self, receipt: Receipt) -> int:
        """See `Receipts.put`."""
        if not self._client.is_connected:
            # The client would buffer it until the server is back, long after the sender has given up.
            raise LogUnavailable(_AWAY)
        if len(self._waiting) >= self._queue_max or self._waiting_bytes >= QUEUE_BYTES_MAX:
            raise IntakeBusy(f"{len(self._waiting)} receipts ({self._waiting_bytes} bytes) wait for the disk already")
        waiting = _Waiting(receipt)
        self._waiting.append(waiting)
        self._waiting_bytes += waiting.size
        if self._storing is None:
            # The task takes what waits when it runs, so that requests of the same turn of the loop share a batch.
            self._storing = asyncio.get_running_loop().create_task(self._store_what_waits())
        return await waiting.done

    async def get(self, seq: int) -> Receipt | None:
        """See `Receipts.get`."""
        try:
            message = await self._js.get_msg(INTAKE, seq, direct=True)
        except nats.js.errors.NotFoundError:
            return None
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise LogUnavailable(f"INTAKE did not give receipt {seq}: {error!r}") from error
        headers = message.headers or {}
        stamp = headers.get("Nats-Time-Stamp")
        stored_at = datetime.fromisoformat(stamp) if stamp else datetime.now(UTC)
        return _receipt(seq, message.subject or "", stored_at, headers, message.data or b"")

    async def find(self, source: str, integration: str, *, since: datetime, header: str, value: str) -> Receipt | None:
        """See `Receipts.find`."""
        subject = f"{INTAKE_SUBJECT_ROOT}.{source}.{integration}"
        message = await find_message(self._client, subject, since=since, header=header, value=value)
        if message is None:
            return None
        stored_at = datetime.fromisoformat(message.headers["Nats-Time-Stamp"])
        seq = int(message.headers["Nats-Sequence"])
        return _receipt(seq, message.headers["Nats-Subject"], stored_at, message.headers, message.data or b"")

    async def handled_through(self) -> int:
        """See `Receipts.handled_through`."""
        return await handled_through(self._js, TRANSLATOR)

    async def close(self) -> None:
        """Wait until everything that was accepted is answered."""
        while self._storing is not None:
            await asyncio.wait([self._storing])

    async def _store_what_waits(self) -> None:
        # One round at a time: the server handles batches of one stream one after the other, so a second one on its way
        # would only split what could have shared a sync.
        try:
            while batch := self._take():
                if len(batch) <= SINGLES_MAX:
                    await asyncio.gather(*(self._store([waiting]) for waiting in batch))
                else:
                    await self._store(batch)
        finally:
            self._storing = None

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and len(taken) < BATCH_RECEIPTS_MAX and size < BATCH_BYTES_MAX:
            waiting = self._waiting.popleft()
            self._waiting_bytes -= waiting.size
            # The sender may have hung up; it then has no promise that must be kept.
            if not waiting.done.done():
                taken.append(waiting)
                size += waiting.size
        return taken

    async def _store(self, batch: list[_Waiting]) -> None:
        try:
            last = await self._commit(batch)
        except Exception as error:  # every waiting request must be answered, whatever went wrong
            failure = _explained(error)
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_exception(failure)
            return
        # A batch is stored at consecutive positions.
        first = last - len(batch) + 1
        for offset, waiting in enumerate(batch):
            if not waiting.done.done():
                waiting.done.set_result(first + offset)

    async def _commit(self, batch: list[_Waiting]) -> int:
        if not self._client.is_connected:
            raise LogUnavailable(_AWAY)
        messages = [(waiting.subject, waiting.body, waiting.headers) for waiting in batch]
        if len(messages) > 1:
            return await publish_batch(self._client, messages, timeout_s=STORE_TIMEOUT_S)
        return int((await publish_one(self._client, messages[0], timeout_s=STORE_TIMEOUT_S))["seq"])


def _explained(error: Exception) -> LogError:
    if isinstance(error, LogError):
        return error
    if isinstance(error, nats.js.errors.APIError):
        if error.err_code in _NO_ROOM:
            return LogFull(f"INTAKE refuses new receipts: {error.description}")
        return LogUnavailable(f"INTAKE refused receipts: {error.description} ({error.err_code})")
    return LogUnavailable(f"INTAKE did not answer: {error!r}")


def receipt_from_delivery(message: Any) -> Receipt:
    """The receipt in a message that a consumer of INTAKE delivered."""
    stored = stored_from_delivery(message)
    return _receipt(stored.seq, stored.subject, stored.recorded_at, message.headers or {}, stored.body)


def _receipt(seq: int, subject: str, stored_at: datetime, headers: dict[str, str], body: bytes) -> Receipt:
    lower = {name.lower(): value for name, value in headers.items()}
    _root, source, *integration = subject.split(".")
    return Receipt(
        seq=seq,
        source=source,
        integration=integration[0] if integration else NATS_INTEGRATION,
        received_at=_time(lower.get(RECEIVED_HEADER.lower(), ""), stored_at),
        content_type=lower.get("content-type", ""),
        headers={name: value for name, value in lower.items() if not name.startswith(_OWN_HEADERS)},
        body=body,
    )


def _time(text: str, otherwise: datetime) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
    return otherwise


async def handled_through(js: JetStreamContext, durable: str) -> int:
    """The position in INTAKE up to which every message was acknowledged by some copy of the service.

    Raises:
        LogUnavailable: no answer.
    """
    info = await consumer_of(js, durable)
    return int(info.ack_floor.stream_seq) if info.ack_floor else 0


async def consumer_of(js: JetStreamContext, durable: str) -> ConsumerInfo:
    """What the server says of a durable consumer of INTAKE.

    Raises:
        LogUnavailable: no answer.
    """
    try:
        info: ConsumerInfo = await js.consumer_info(INTAKE, durable)
    except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
        raise LogUnavailable(f"the consumer {durable} does not say how far it is: {error!r}") from error
    return info
