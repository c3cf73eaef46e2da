"""Appending on JetStream: one publish with a version check, or an atomic batch (ADR-50) for several events.

The version check names the stream's filter, because `Nats-Expected-Last-Subject-Sequence` alone looks at one exact
subject. Repeating an append is always safe: what was stored fails the version check, and is then found by its ids. So
an append is tried again, for as long as its caller may wait, whenever the server was away or had no answer.
"""

import asyncio

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.js.errors import APIError

from events.errors import Conflict, InvalidEvent, LogFull, LogUnavailable
from events.log import EVENTS_PER_APPEND_MAX, NOTHING, Write
from events.nats_batch import Outgoing, publish_batch, publish_one
from events.nats_direct_get import DirectGet
from events.recorded import CONTENT_TYPE, encode
from events.subjects import every_fact_of

# How long an append may take with all its tries. Less than what the asker of a command waits
# (`services.command.ANSWER_TIMEOUT_S`), more than a restart of the server.
APPEND_TIMEOUT_S = 8.0
# How long one try waits. A synced write takes milliseconds; an answer that was lost with its server never comes. On a
# disk that is slower than this, the next try finds what the earlier one stored.
TRY_TIMEOUT_S = 1.5
TRY_PAUSE_S = 0.1

# The server takes 50 unfinished batches a stream (ADR-50) and silently drops the start of a 51st. Several processes
# share that, and more at once is no faster: the server syncs them one by one.
BATCHES_IN_FLIGHT_MAX = 10

_WRONG_LAST_SEQUENCE = 10071
_DUPLICATE_IN_BATCH = 10201
# Its beginning is gone: dropped over the limit above, or sent to a server that died. Nothing of it was stored.
_BATCH_INCOMPLETE = 10176
# Out of storage: of the server (10023) or account, of one message, of the headers.
_NO_ROOM = frozenset({10023, 10047, 10054, 10122})
# The store failed, and its description says why.
_STORE_FAILED = 10077
_NO_ROOM_WORDS = ("exceeded", "no space")
_SERVICE_UNAVAILABLE = 503


class _Identified(msgspec.Struct):
    id: str


_IDENTIFIED = msgspec.json.Decoder(_Identified)


class _TryAgain(Exception):
    """Nothing was decided: the same append may be tried again."""


class Appender:
    """Appends to the stream EVENTS.

    Args:
        client: a connected client.
        direct: reads the same stream.
        timeout_s: how long one append may take.
    """

    def __init__(self, client: Client, direct: DirectGet, *, timeout_s: float = APPEND_TIMEOUT_S) -> None:
        self._client = client
        self._direct = direct
        self._timeout_s = timeout_s
        self._batches = asyncio.Semaphore(BATCHES_IN_FLIGHT_MAX)

    async def append(self, writes: tuple[Write, ...]) -> int:
        """See `EventLog.append`."""
        messages = [message for write in writes for message in _messages(write)]
        if not 1 <= len(messages) <= EVENTS_PER_APPEND_MAX or not all(write.events for write in writes):
            raise InvalidEvent(
                f"one append takes 1 to {EVENTS_PER_APPEND_MAX} events and one or more a write, not {len(messages)}"
            )
        trouble: Exception | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    try:
                        return await self._try(messages, writes)
                    except (_TryAgain, LogUnavailable) as error:
                        trouble = error
                    if self._client.is_closed:
                        break
                    await asyncio.sleep(TRY_PAUSE_S)
        except TimeoutError:
            pass  # said below, with what went wrong last
        raise LogUnavailable(f"no answer to an append to {_names(writes)}: {trouble or 'none in time'}") from trouble

    async def _try(self, messages: list[Outgoing], writes: tuple[Write, ...]) -> int:
        if not self._client.is_connected:
            # The client would keep it and send it after the reconnect, when nobody waits for it any more.
            raise _TryAgain("the NATS server is away")
        try:
            if len(messages) == 1:
                return await self._publish(messages[0], writes)
            async with self._batches:
                return await publish_batch(self._client, messages, timeout_s=TRY_TIMEOUT_S)
        except APIError as error:
            return await self._explain(error, writes)
        except (TimeoutError, nats.errors.Error) as error:
            raise _TryAgain(repr(error)) from error

    async def _publish(self, message: Outgoing, writes: tuple[Write, ...]) -> int:
        answer = await publish_one(self._client, message, timeout_s=TRY_TIMEOUT_S)
        seq = int(answer["seq"])
        if answer.get("duplicate"):
            # Message ids are compared across all streams, so this may be the event of another one.
            twin = await self._direct.at(seq)
            if twin is None or twin.subject != message[0]:
                raise _already_stored(writes, seq)
        return seq

    async def _explain(self, error: APIError, writes: tuple[Write, ...]) -> int:
        code, text = error.err_code, error.description or str(error)
        if code in (_WRONG_LAST_SEQUENCE, _DUPLICATE_IN_BATCH):
            return await self._explain_conflict(code, text, writes)
        if code in _NO_ROOM or (code == _STORE_FAILED and any(word in text for word in _NO_ROOM_WORDS)):
            raise LogFull(f"the log refused an append to {_names(writes)}: {text}")
        if code == _BATCH_INCOMPLETE or error.code == _SERVICE_UNAVAILABLE:
            raise _TryAgain(f"{text} ({code})")
        raise LogUnavailable(f"the log refused it: {text} ({code})")

    async def _explain_conflict(self, code: int, text: str, writes: tuple[Write, ...]) -> int:
        # Versions first: what is found missing after them was not stored before them either, so a try of ours that
        # was stored late cannot be taken for another writer.
        versions = {write.checked: await self._version(write.checked) for write in writes}
        # The version check wins over the message id, so a retry of a stored append looks like a conflict.
        stored = await self._find(writes, whole=code == _DUPLICATE_IN_BATCH)
        if stored is not None:
            return stored
        for write in writes:
            if versions[write.checked] != write.after:
                raise Conflict(write.checked, expected=write.after, actual=versions[write.checked])
        if code == _DUPLICATE_IN_BATCH:
            raise _already_stored(writes, text)
        # The replica that was asked has not heard of the write that won.
        raise _TryAgain(text)

    async def _find(self, writes: tuple[Write, ...], *, whole: bool) -> int | None:
        """The position of an earlier append of the same events, when all of them are stored.

        Args:
            writes: what to look for.
            whole: look before the versions that the writes expect too: the append is repeated on a newer version.
        """
        positions = {}
        for write in writes:
            after = NOTHING if whole else write.after
            for stored in await self._direct.matching(every_fact_of(write.stream), after=after):
                positions[_IDENTIFIED.decode(stored.body).id] = stored.seq
        wanted = [event.id for write in writes for event in write.events]
        return max(positions[i] for i in wanted) if all(i in positions for i in wanted) else None

    async def _version(self, stream: str) -> int:
        stored = await self._direct.last(every_fact_of(stream))
        return stored.seq if stored else NOTHING


def _messages(write: Write) -> list[Outgoing]:
    messages: list[Outgoing] = []
    for event in write.events:
        subject, body = encode(write.stream, event)
        headers = {"Nats-Msg-Id": event.id, "Content-Type": CONTENT_TYPE}
        if not messages:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(write.after)
            # The server does not check that this filter covers the subject. It does, unless the write rests on another.
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = every_fact_of(write.checked)
        messages.append((subject, body, headers))
    return messages


def _already_stored(writes: tuple[Write, ...], where: object) -> InvalidEvent:
    return InvalidEvent(
        f"an event id of the append to {_names(writes)} is in the log already, elsewhere: {where}",
        hint="An id, such as an Idempotency-Key, names one thing for ever: use another one.",
    )


def _names(writes: tuple[Write, ...]) -> str:
    return ", ".join(write.stream for write in writes)
