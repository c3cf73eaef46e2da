"""HTTP API: events of the log as they lie there, for a program that runs history again (`recount rules replay`)."""

from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.params import QueryParameter

from services.web.identity import admin_only
from services.web.site import Here

# Positions that one answer passes over. Some ten megabytes when all of them are wanted.
STRETCH_MAX = 20_000
MEDIA_TYPE = "application/x-ndjson"
Position = Annotated[int, QueryParameter(ge=0, le=2**63 - 1)]


class RawEvent(msgspec.Struct, frozen=True):
    """One event."""

    seq: int
    subject: str
    recorded_at: str
    body: msgspec.Raw
    """The CloudEvent."""


@get("/events", media_type=MEDIA_TYPE)
async def events(
    site: Here,
    after: Position,
    through: Position,
    categories: Annotated[str, QueryParameter(max_length=1_000)] = "",
) -> Response[bytes]:
    """The events of a stretch after a position, a line of JSON each; of some categories, when they are named.

    The header ``Recount-Last`` says how far the stretch reaches: ask on from there.
    """
    wanted = frozenset(filter(None, categories.split(",")))
    last = min(through, await site.context.log.last_position(), after + STRETCH_MAX)
    lines: list[bytes] = []
    if last > after:
        async for batch in site.context.log.bulk(after=after, through=last):
            lines += [
                msgspec.json.encode(
                    RawEvent(stored.seq, stored.subject, stored.recorded_at.isoformat(), msgspec.Raw(stored.body))
                )
                for stored in batch
                if not wanted or stored.subject.split(".")[1] in wanted
            ]
    content = b"".join(line + b"\n" for line in lines)
    return Response(content, media_type=MEDIA_TYPE, headers={"Recount-Last": str(max(last, after))})


router = Router(path="/api", guards=[admin_only], route_handlers=[events])
