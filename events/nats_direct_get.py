"""Reading a stream without a consumer: JetStream direct get, single and batched (ADR-31).

A batched request is answered by one message an event, then one with status 204 that says how many are left. nats-py
has no call for it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import nats.errors
from nats.aio.client import Client

from events.errors import LogUnavailable
from events.nats_inbox import Inbox
from events.recorded import Stored

# How long to wait for the next message of an answer; the server sends them back to back.
ANSWER_TIMEOUT_S = 5.0
# The server's own ceiling for one batched request (ADR-31).
BATCH_MAX = 1_000
_END_OF_BATCH = "204"
_NOT_FOUND = "404"


class DirectGet:
    """Direct reads of one stream. Every read raises `LogUnavailable` when no answer comes in `ANSWER_TIMEOUT_S`."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._api = f"$JS.API.DIRECT.GET.{stream}"

    async def at(self, seq: int) -> Stored | None:
        """The message at a position; None when there is none, as for every position below 1."""
        # The server takes position 0 for an empty request.
        return await self._one({"seq": seq}) if seq > 0 else None

    async def last(self, subject: str) -> Stored | None:
        """The newest message whose subject matches a filter."""
        return await self._one({"last_by_subj": subject})

    async def batch(self, from_seq: int, count: int) -> list[Stored]:
        """Up to ``count`` messages from a position on, whatever their subject."""
        found, _left = await self._many({"seq": from_seq, "batch": count})
        return found

    async def matching(self, subject: str, *, after: int) -> list[Stored]:
        """Every message after a position whose subject matches a filter, in order."""
        found: list[Stored] = []
        while True:
            start = (found[-1].seq if found else after) + 1
            part, left = await self._many({"seq": start, "next_by_subj": subject, "batch": BATCH_MAX})
            found += part
            # The server may end an answer early, by bytes: what it says is left decides, not the count.
            if not left or not part:
                return found

    async def subjects_of(self, filters: Sequence[str]) -> set[str]:
        """The subjects of all messages that match any of some filters. The server refuses more than a thousand."""
        found, _left = await self._many({"multi_last": list(filters), "batch": BATCH_MAX})
        return {stored.subject for stored in found}

    async def _one(self, request: dict[str, Any]) -> Stored | None:
        try:
            message = await self._client.request(self._api, json.dumps(request).encode(), timeout=ANSWER_TIMEOUT_S)
        except (TimeoutError, nats.errors.Error) as error:
            raise _silent(request, error) from error
        headers = message.headers or {}
        status = headers.get("Status")
        if status == _NOT_FOUND:
            return None
        _require_message(status, headers, request)
        return _stored(headers, message.data)

    async def _many(self, request: dict[str, Any]) -> tuple[list[Stored], int]:
        """The messages of one answer, and how many more match."""
        found: list[Stored] = []
        inbox = Inbox(self._client)
        try:
            await inbox.open()
            await self._client.publish(self._api, json.dumps(request).encode(), reply=inbox.subject)
            while True:
                message = await inbox.next(ANSWER_TIMEOUT_S)
                headers = message.headers or {}
                status = headers.get("Status")
                if status == _NOT_FOUND:
                    return found, 0
                if status == _END_OF_BATCH:
                    return found, int(headers.get("Nats-Num-Pending", 0))
                _require_message(status, headers, request)
                found.append(_stored(headers, message.data))
        except (TimeoutError, nats.errors.Error) as error:
            raise _silent(request, error) from error
        finally:
            await inbox.close()


def _silent(request: Mapping[str, Any], error: Exception) -> LogUnavailable:
    return LogUnavailable(f"the log did not answer {json.dumps(request)}: {error!r}")


def _require_message(status: str | None, headers: Mapping[str, str], request: Mapping[str, Any]) -> None:
    if status is not None:
        raise LogUnavailable(f"the log answered {status} {headers.get('Description', '')} to {json.dumps(request)}")


def _stored(headers: Mapping[str, str], body: bytes) -> Stored:
    # Nats-Time-Stamp is RFC 3339 with nanoseconds and "Z"; fromisoformat cuts to microseconds.
    return Stored(
        int(headers["Nats-Sequence"]),
        headers["Nats-Subject"],
        datetime.fromisoformat(headers["Nats-Time-Stamp"]),
        body,
    )
