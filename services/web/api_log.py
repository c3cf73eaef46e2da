"""HTTP API: the log, how far the warehouse has read it, and proving or rebuilding what was read."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, TypedDict

import msgspec
from litestar import Response, Router, get
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from events import LogUnavailable
from services.web.answers import json_value, zulu
from services.web.identity import OPEN, AskerRequest
from services.web.problems import Problem
from services.web.reader import POSITION_DIGITS_MAX
from services.web.site import Here

# A health check that takes longer has failed; load balancers ask every few seconds.
HEALTH_S_MAX = 2.0
# A browser that lost its connection comes back after this long.
RECONNECT_MS = 2_000
AfterPosition = Annotated[int | None, QueryParameter(ge=0, le=2**63 - 1)]

AWAY = ResponseSpec(dict[str, Any], description="The log does not answer.", generate_examples=False)


@get("/healthz", opt=OPEN, responses={503: AWAY})
async def healthz(site: Here) -> Response[dict[str, Any]]:
    """Whether the log answers and how far the warehouse has read it; open to all, and says nothing else."""
    try:
        log_position = await asyncio.wait_for(site.context.log.last_position(), HEALTH_S_MAX)
    except (TimeoutError, LogUnavailable):
        return Response(
            {"status": "the log does not answer", "position": site.reader.position, "log_position": None},
            status_code=503,
        )
    status = "the warehouse does not follow the log" if site.reader.trouble else "ok"
    return Response({"status": status, "position": site.reader.position, "log_position": log_position})


class Position(TypedDict):
    """A log position."""

    position: int


class Resolved(TypedDict):
    """What a time means."""

    as_of: str
    position: int
    recorded_at: str | None


@get("/position")
async def position(site: Here) -> Position:
    """How far the warehouse has read the log."""
    return {"position": site.reader.position}


@get("/resolve")
async def resolve(site: Here, as_of: FromQuery[str]) -> Resolved:
    """The log position that a time means, and when the event there was recorded."""
    found = await site.reader.resolve(as_of)
    return {"as_of": as_of, "position": found, "recorded_at": json_value(await site.reader.recorded_at(found))}


@get("/tail", media_type="text/event-stream")
async def tail(
    request: AskerRequest, site: Here, after: AfterPosition = None, incident: FromQuery[str] = ""
) -> ServerSentEvent:
    """The log as it grows, as server-sent events: ``id`` is the position, so a browser resumes by itself."""
    if last_seen := request.headers.get("last-event-id"):
        after = as_position(last_seen)
    if site.tail.is_full:
        raise Problem(503, "The tail cannot be followed", because="too many are open", instead="Try again later.")

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        start = site.tail.position if after is None else after
        # Something must be sent at once, or a proxy keeps the headers back and the browser waits.
        yield ServerSentEventMessage(comment=f"from {start}", data=None, retry=RECONNECT_MS)
        async for line in site.tail.lines(after=start, incident_id=incident):
            if line is None:
                yield ServerSentEventMessage(comment="still here", data=None)
            else:
                told = msgspec.structs.asdict(line) | {
                    "happened_at": zulu(line.happened_at),
                    "recorded_at": zulu(line.recorded_at),
                }
                yield ServerSentEventMessage(id=line.seq, data=msgspec.json.encode(told))

    return ServerSentEvent(messages(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def as_position(text: str) -> int:
    """A log position out of a header or query.

    Raises:
        Problem: 400, it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < POSITION_DIGITS_MAX):
        raise Problem(400, f"{text[:40]!r} is not a log position", instead="Positions are whole numbers such as 4711.")
    return int(text)


router = Router(path="/api", route_handlers=[position, resolve, tail])
