"""HTTP API: the whole log, in Parquet files that the asker puts together (`recount export`).

Each answer is one file, computed when it is asked for out of the log itself; nothing is kept here, and no path comes
from the asker. Whoever was interrupted asks for the next file after the last one that arrived.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypedDict

from litestar import Response, Router, get
from litestar.params import QueryParameter

from events import EventLog, Stored
from projections.manifest import PART_EVENTS
from projections.parquet import month_of, one_part, write_part
from services.web.declared import declared
from services.web.identity import admin_only
from services.web.problems import Problem
from services.web.site import Here

MEDIA_TYPE = "application/vnd.apache.parquet"
Position = Annotated[int, QueryParameter(ge=0, le=2**63 - 1)]


class LogTold(TypedDict):
    """Which log this is, and where it ends."""

    log: str
    last: int


@get("/export")
async def export_state(site: Here) -> LogTold:
    """Which log this is, by the SHA-256 of its first event, and where it ends."""
    first = await site.context.log.get(1)
    last = await site.context.log.last_position()
    return {"log": hashlib.sha256(first.body).hexdigest() if first else "", "last": last}


@get("/export/part", media_type=MEDIA_TYPE, opt=declared(404))
async def export_part(site: Here, after: Position, through: Position) -> Response[bytes]:
    """One Parquet file with the events after a position, as many as belong in one file.

    The headers ``Recount-First``, ``Recount-Last``, ``Recount-Month`` and ``Recount-SHA256`` say what it holds.
    """
    events = one_part(await _stretch(site.context.log, after, through))
    content = await asyncio.to_thread(_as_parquet, events, site.context.data)
    headers = {
        "Recount-First": str(events[0].seq),
        "Recount-Last": str(events[-1].seq),
        "Recount-Month": month_of(events[0]),
        "Recount-SHA256": hashlib.sha256(content).hexdigest(),
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


async def _stretch(log: EventLog, after: int, through: int) -> list[Stored]:
    last = min(through, await log.last_position(), after + PART_EVENTS)
    if last <= after:
        raise Problem(
            404,
            f"There are no events after position {after}",
            because=f"the log ends, or was asked for, at {last}",
            instead="Ask /api/export where the log ends.",
        )
    return [stored async for batch in log.bulk(after=after, through=last) for stored in batch]


def _as_parquet(events: Sequence[Stored], data: Path) -> bytes:
    # On the disk of the data folder, because the system's folder for such files may be small, or memory.
    with tempfile.TemporaryDirectory(prefix="export-", dir=data) as folder:
        path = Path(folder) / "part.parquet"
        write_part(path, events)
        return path.read_bytes()


router = Router(path="/api", guards=[admin_only], route_handlers=[export_state, export_part])
