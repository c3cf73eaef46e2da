"""HTTP API: computing every view again out of the log, and proving that the live ones say the same."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import msgspec
from litestar import Router, post
from litestar.response import Stream

from services.web.answers import json_value
from services.web.identity import AskerRequest, require_admin
from services.web.problems import as_problem, problem_body
from services.web.site import Here, Site


@post("/rebuild", status_code=200)
async def rebuild(request: AskerRequest, site: Here) -> Stream:
    """Compute every view again. Answers one JSON line a step; the last one says ``finished``, or why not."""
    require_admin(request.user)
    return Stream(_rebuilding(site), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"})


@post("/verify/views", status_code=200)
async def verify_views(request: AskerRequest, site: Here) -> dict[str, Any]:
    """Compute every view beside the live one and name every row that differs."""
    require_admin(request.user)
    position = site.reader.position
    differences = await asyncio.to_thread(site.reader.warehouse.verify_views)
    return {
        "position": position,
        "projections": len(site.reader.warehouse.views()),
        "differences": [json_value(msgspec.structs.asdict(difference)) for difference in differences],
    }


async def _rebuilding(site: Site) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
    began = perf_counter()

    def progress(done: int, total: int) -> None:
        rate = round(done / max(perf_counter() - began, 1e-6))
        # It is called on a thread or on the loop, as the work goes.
        loop.call_soon_threadsafe(steps.put_nowait, {"done": done, "total": total, "rate": rate})

    work = asyncio.create_task(site.reader.rebuild(progress))
    work.add_done_callback(lambda _done: loop.call_soon_threadsafe(steps.put_nowait, None))
    while (step := await steps.get()) is not None:
        yield _line(step)
    try:
        position = await work
    except Exception as error:  # the answer has begun, so only its last line can say that it failed
        yield _line(problem_body(as_problem(error)))
    else:
        elapsed = round(perf_counter() - began, 3)
        yield _line({"finished": True, "done": position, "elapsed_s": elapsed, "position": position})


def _line(step: dict[str, Any]) -> bytes:
    return msgspec.json.encode(step) + b"\n"


router = Router(path="/api", route_handlers=[rebuild, verify_views])
