"""Finding one receipt in INTAKE by a header, near the time at which it came. Direct get, no consumer."""

import json
from datetime import datetime, timedelta
from typing import Any

import nats.errors
from nats.aio.client import Client

from events.errors import LogUnavailable
from events.nats_inbox import Inbox
from events.nats_streams import INTAKE

# How long to wait for the next message of an answer; the server sends them back to back.
ANSWER_TIMEOUT_S = 5.0
# Receipts of one answer. Each may hold a megabyte, and one of them is wanted.
BATCH_MAX = 100
# How much later than it came a receipt may be stored: it waits for the disk no longer than that.
STORED_LATE_MAX = timedelta(seconds=10)
# Receipts that are looked at. At 4,000 a second this is the time that one may wait for the disk.
LOOKED_AT_MAX = 40_000


async def find_message(client: Client, subject: str, *, since: datetime, header: str, value: str) -> Any | None:
    """The first message of INTAKE on a subject, stored about then, whose header has a value; None when there is none.

    Raises:
        LogUnavailable: no answer.
    """
    api = f"$JS.API.DIRECT.GET.{INTAKE}"
    until = since + STORED_LATE_MAX
    request: dict[str, Any] = {"start_time": since.isoformat(), "next_by_subj": subject, "batch": BATCH_MAX}
    looked_at = 0
    while looked_at < LOOKED_AT_MAX:
        found = await _answer(client, api, request)
        for message in found:
            if message.headers.get(header) == value:
                return message
        if not found or datetime.fromisoformat(found[-1].headers["Nats-Time-Stamp"]) > until:
            return None
        looked_at += len(found)
        last = int(found[-1].headers["Nats-Sequence"])
        request = {"seq": last + 1, "next_by_subj": subject, "batch": BATCH_MAX}
    return None


async def _answer(client: Client, api: str, request: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    inbox = Inbox(client)
    try:
        await inbox.open()
        await client.publish(api, json.dumps(request).encode(), reply=inbox.subject)
        while True:
            message = await inbox.next(ANSWER_TIMEOUT_S)
            status = (message.headers or {}).get("Status")
            if status in ("204", "404"):
                return found
            if status is not None:
                description = (message.headers or {}).get("Description", "")
                raise LogUnavailable(f"INTAKE answered {status} {description} to {json.dumps(request)}")
            found.append(message)
    except (TimeoutError, nats.errors.Error) as error:
        raise LogUnavailable(f"INTAKE did not answer {json.dumps(request)}: {error!r}") from error
    finally:
        await inbox.close()
