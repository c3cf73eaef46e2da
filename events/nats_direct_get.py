"""Reading a stream without a consumer: JetStream direct get, single and batched (ADR-31).

A batched request is answered by one message an event, then one with status 204. nats-py has no call for it.
"""

import json
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.client import Client

from events.errors import LogUnavailable
from events.recorded import Stored

# How long to wait for the next message of an answer; the server sends them back to back.
ANSWER_TIMEOUT_S = 5.0
# The server's own ceiling for one batched request (ADR-31).
BATCH_MAX = 1_000
_END_OF_BATCH = "204"
_NOT_FOUND = "404"


class DirectGet:
    """Direct reads of one stream."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._api = f"$JS.API.DIRECT.GET.{stream}"

    async def at(self, seq: int) -> Stored | None:
        """The message at a position."""
        return _only(await self._ask({"seq": seq}, single=True))

    async def last(self, subject: str) -> Stored | None:
        """The newest message whose subject matches a filter."""
        return _only(await self._ask({"last_by_subj": subject}, single=True))

    async def batch(self, from_seq: int, count: int) -> list[Stored]:
        """Up to ``count`` messages from a position on, whatever their subject."""
        return await self._ask({"seq": from_seq, "batch": count}, single=False)

    async def matching(self, subject: str, *, after: int) -> list[Stored]:
        """Every message after a position whose subject matches a filter, in order."""
        found: list[Stored] = []
        while True:
            start = (found[-1].seq if found else after) + 1
            part = await self._ask({"seq": start, "next_by_subj": subject, "batch": BATCH_MAX}, single=False)
            found += part
            if len(part) < BATCH_MAX:
                return found

    async def _ask(self, request: dict[str, Any], *, single: bool) -> list[Stored]:
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        try:
            await self._client.publish(self._api, json.dumps(request).encode(), reply=inbox)
            found: list[Stored] = []
            while True:
                message = await subscription.next_msg(ANSWER_TIMEOUT_S)
                headers = message.headers or {}
                status = headers.get("Status")
                if status in (_END_OF_BATCH, _NOT_FOUND):
                    return found
                if status is not None:
                    raise LogUnavailable(f"the log answered {status} {headers.get('Description', '')} to {request}")
                found.append(_stored(headers, message.data))
                if single:
                    return found
        except (TimeoutError, nats.errors.Error) as error:
            raise LogUnavailable(f"the log did not answer {request}: {error!r}") from error
        finally:
            if not self._client.is_closed:
                await subscription.unsubscribe()


def _only(found: list[Stored]) -> Stored | None:
    return found[0] if found else None


def _stored(headers: dict[str, str], body: bytes) -> Stored:
    # Nats-Time-Stamp is RFC 3339 with nanoseconds and "Z"; fromisoformat cuts to microseconds.
    return Stored(
        int(headers["Nats-Sequence"]),
        headers["Nats-Subject"],
        datetime.fromisoformat(headers["Nats-Time-Stamp"]),
        body,
    )
