"""Reading a stream without a consumer: JetStream direct get, single and batched (ADR-31).

A batched request is answered by one message an event, then one with status 204 that says how many are left. nats-py
has no call for it.

**What it costs.** Once a stream holds more than 65,536 subjects, a server (2.15.1) that looks for the next message of
a filter with wildcards looks into every block up to it, and to the last block when there is none. On ten million
events that took 14 s after a start, 3 GB of the server's memory, and a tenth of a second from then on. Blocks are
passed by for an exact subject alone. So nothing is asked here for more messages than there are, except close to the
end.
"""

import asyncio
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
# So close to the end of the stream, a wildcard is looked for in a few blocks at most: one holds 8 MiB, which is about
# this many events.
NEAR_POSITIONS = 16_000
_END_OF_BATCH = "204"
_NOT_FOUND = "404"


class DirectGet:
    """Direct reads of one stream. Every read raises `LogUnavailable` when no answer comes in `ANSWER_TIMEOUT_S`."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._api = f"$JS.API.DIRECT.GET.{stream}"
        self._info_api = f"$JS.API.STREAM.INFO.{stream}"
        self._newest = 0
        """The newest position that was ever heard of."""

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
        """Every message after a position whose subject matches a filter, in order, as of one moment."""
        if self._newest and after >= self._newest - NEAR_POSITIONS:
            return await self._onwards(subject, after)
        return await self._picked(subject, after)

    async def _onwards(self, subject: str, after: int) -> list[Stored]:
        found: list[Stored] = []
        while True:
            start = (found[-1].seq if found else after) + 1
            part, left = await self._many({"seq": start, "next_by_subj": subject, "batch": BATCH_MAX})
            found += part
            # The server may end an answer early, by bytes: what it says is left decides, not the count.
            if not left or not part:
                return found

    async def _picked(self, subject: str, after: int) -> list[Stored]:
        """The same, subject by subject: most have one message, which the server finds at once."""
        if after:
            last = await self.last(subject)
            if last is None or last.seq <= after:
                return []
        end, counts = await self._counts(subject)
        self._newest = max(self._newest, end)
        found: list[Stored] = []
        several: list[str] = []
        names = list(counts)
        for first in range(0, len(names), BATCH_MAX):
            lasts, _left = await self._many({"multi_last": names[first : first + BATCH_MAX], "batch": BATCH_MAX})
            for last in lasts:
                # One that came after they were counted may hide another.
                if counts[last.subject] == 1 and last.seq <= end:
                    found.append(last)
                elif last.seq > after:
                    several.append(last.subject)
        for part in await asyncio.gather(*(self._first_of(name, counts[name]) for name in several)):
            found += part
        return sorted((one for one in found if after < one.seq <= end), key=lambda one: one.seq)

    async def _first_of(self, subject: str, count: int) -> list[Stored]:
        """The first so many messages of an exact subject, which has as many."""
        found: list[Stored] = []
        while len(found) < count:
            start = found[-1].seq + 1 if found else 1
            part, _left = await self._many(
                {"seq": start, "next_by_subj": subject, "batch": min(count - len(found), BATCH_MAX)}
            )
            if not part:
                break
            found += part
        return found

    async def _counts(self, subject: str) -> tuple[int, dict[str, int]]:
        """The last position of the stream, and how many messages each subject that matches a filter has: those until
        then, and perhaps some that came since."""
        end: int | None = None
        counts: dict[str, int] = {}
        while True:
            request = {"subjects_filter": subject, "offset": len(counts)}
            try:
                answer = await self._client.request(
                    self._info_api, json.dumps(request).encode(), timeout=ANSWER_TIMEOUT_S
                )
            except (TimeoutError, nats.errors.Error) as error:
                raise _silent(request, error) from error
            info = json.loads(answer.data)
            if "error" in info:
                raise LogUnavailable(f"the log answered {info['error']} to {json.dumps(request)}")
            state = info["state"]
            end = state["last_seq"] if end is None else end
            part = state.get("subjects") or {}
            counts |= part
            if not part or len(counts) >= info.get("total", 0):
                return end, counts

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
                self._newest = max(self._newest, found[-1].seq)
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
