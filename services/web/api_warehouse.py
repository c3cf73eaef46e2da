"""HTTP API: computing every view again out of the log, and proving that the live ones say the same."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any, TypedDict

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromQuery
from litestar.response import Stream

from services.web.answers import json_value
from services.web.identity import admin_only
from services.web.problems import Refusal, as_problem, problem_body
from services.web.site import Here
from services.web.upkeep import Rebuilding

MEDIA_TYPE = "application/x-ndjson"


@post("/rebuild", status_code=200, media_type=MEDIA_TYPE)
async def rebuild(site: Here, projections: FromQuery[bool] = False) -> Stream:
    """Compute every view again, or join the rebuild that runs. It goes on when the asker leaves.

    Answers one JSON line a step; the last one says ``finished``, or why not. With ``projections`` only those are
    computed, out of the log as the warehouse holds it.
    """
    running = site.reader.upkeep.begin_rebuild(projections_only=projections)
    return Stream(_told(running), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


@delete("/rebuild", status_code=200)
async def stop_rebuild(site: Here) -> dict[str, bool]:
    """Stop the rebuild that runs. The next one goes on from where it stood."""
    return {"stopped": await site.reader.upkeep.stop_rebuild()}


class WarehouseTold(TypedDict):
    """How far the warehouse is."""

    position: int
    upgrade: str
    snapshot: dict[str, Any]


class ViewsVerdict(TypedDict):
    """Whether the views say what the log says."""

    position: int
    projections: int
    differences: list[dict[str, Any]]


@get("/warehouse")
async def warehouse(site: Here) -> WarehouseTold:
    """How far the warehouse is, what is being computed by new definitions, and the snapshot file."""
    return {
        "position": site.reader.position,
        "upgrade": site.reader.upkeep.upgrade,
        "snapshot": msgspec.to_builtins(await site.reader.upkeep.snapshots.status()),
    }


@post("/snapshot", status_code=200)
async def refresh_snapshot(site: Here) -> dict[str, Any]:
    """Write the snapshot file now."""
    answer: dict[str, Any] = msgspec.to_builtins(await site.reader.upkeep.snapshots.refresh())
    return answer


@post("/verify/views", status_code=200)
async def verify_views(site: Here) -> ViewsVerdict:
    """Compute every view beside the live one and name every row that differs."""
    position = site.reader.position
    differences = await asyncio.to_thread(site.reader.warehouse.verify_views)
    return {
        "position": position,
        "projections": len(site.reader.warehouse.views()),
        "differences": [json_value(msgspec.structs.asdict(difference)) for difference in differences],
    }


async def _told(running: Rebuilding) -> AsyncIterator[bytes]:
    began = perf_counter()
    async for step in running.steps():
        yield _line({"doing": step.doing, "done": step.done, "total": step.total, "rate": step.rate})
    try:
        position = await running.result()
    except Exception as error:  # the answer has begun, so only its last line can say that it failed
        yield _line(problem_body(as_problem(error)))
    else:
        elapsed = round(perf_counter() - began, 3)
        yield _line({"finished": True, "done": position, "elapsed_s": elapsed, "position": position})


def _line(step: dict[str, Any] | Refusal) -> bytes:
    return msgspec.json.encode(step) + b"\n"


router = Router(
    path="/api", guards=[admin_only], route_handlers=[rebuild, stop_rebuild, warehouse, refresh_snapshot, verify_views]
)
