"""Page and API: why something happened, or did not; now or through a lens."""

from typing import Any

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from services.web.answers import json_value, seen_through
from services.web.declared import declared
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Lens
from services.web.why import why
from services.web.why_told import Why


@get("/api/why/{about:path}", opt=declared(409))
async def why_as_json(request: AskerRequest, about: FromPath[str], site: Here, lens: Lens) -> dict[str, Any]:
    """The causal chain behind an incident, alert, page, silence, event or receipt, with what did not happen."""
    seen = seen_through(site.reader, lens)
    told = await why(request, site, about.removeprefix("/"), lens)
    parts = {name: json_value(_plain(part)) for name, part in msgspec.structs.asdict(told).items()}
    return {**parts, **seen, "names": await site.names.called()}


@get("/why")
async def why_page(request: AskerRequest, site: Here, lens: Lens, about: FromQuery[str] = "") -> Template:
    """The same for people, with a field to ask of something else."""
    told: Why | None = None
    refusal: Problem | None = None
    if about.strip():
        try:
            told = await why(request, site, about, lens)
        except Problem as problem:
            refusal = problem
    return await page(
        request,
        site,
        "why.html",
        status=refusal.status if refusal else 200,
        as_of=lens,
        about=about,
        why=told,
        refusal=refusal,
    )


@get("/why/panel")
async def why_panel(request: AskerRequest, site: Here, lens: Lens, about: FromQuery[str]) -> Template:
    """The answer alone, for a page that shows it when it is asked for."""
    told = await why(request, site, about, lens)
    return await page(request, site, "why_panel.html", as_of=lens, why=told)


def _plain(part: Any) -> Any:
    return msgspec.to_builtins(part, builtin_types=())


router = Router(path="/", route_handlers=[why_as_json, why_page, why_panel])
