"""Publishing to JetStream with an answer: one message, or several as an atomic batch (ADR-50), which nats-py does not
wrap."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import uuid4

from nats.aio.client import Client
from nats.js.errors import APIError

Outgoing: TypeAlias = tuple[str, bytes, Mapping[str, str]]
"""Subject, body and headers of a message."""


async def publish_one(client: Client, message: Outgoing, *, timeout_s: float) -> dict[str, Any]:
    """Publish one message and wait for the server's answer.

    Raises:
        APIError: the server refuses it.
    """
    subject, body, headers = message
    answer: dict[str, Any] = json.loads(
        (await client.request(subject, body, headers=dict(headers), timeout=timeout_s)).data
    )
    if "error" in answer:
        raise APIError(**{key: answer["error"].get(key) for key in ("code", "err_code", "description")})
    return answer


async def publish_batch(client: Client, messages: Sequence[Outgoing], *, timeout_s: float) -> int:
    """Publish several messages, all or none.

    Returns:
        The position of the last; the others lie right before it.

    Raises:
        APIError: the server refuses the whole.
    """
    batch_id = uuid4().hex
    *first, (last_subject, last_body, last_headers) = messages
    for number, (subject, body, headers) in enumerate(first, start=1):
        await client.publish(
            subject, body, headers={**headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
        )
    commit = {"Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(len(messages)), "Nats-Batch-Commit": "1"}
    answer = await publish_one(client, (last_subject, last_body, {**last_headers, **commit}), timeout_s=timeout_s)
    return int(answer["seq"])
