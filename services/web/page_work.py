"""Page and API: what waits for somebody, now or through a lens."""

from typing import Any

from litestar import Router, get
from litestar.response import Template

from services.web.answers import json_rows, seen_through
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.site import Here, Lens, Site

# More than a team works on; `select * from open_work` gives them all.
ROWS_MAX = 1_000
# How the kinds are called, in the order of how soon they want somebody.
KINDS = {
    "page": "Pages that nobody answered",
    "incident": "Open incidents",
    "review": "Postmortems to publish",
    "action": "Actions agreed on",
    "dead_letter": "Messages that could not be used",
}

_WORK = f"select * from open_work order by since, kind, id limit {ROWS_MAX + 1}"


@get("/work")
async def work(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """What waits, the oldest of each kind first."""
    rows = await _rows(site, lens)
    groups = [(title, [row for row in rows[:ROWS_MAX] if row["kind"] == kind]) for kind, title in KINDS.items()]
    return await page(
        request,
        site,
        "work.html",
        as_of=lens,
        groups=[group for group in groups if group[1]],
        shown_max=ROWS_MAX if len(rows) > ROWS_MAX else None,
    )


@get("/api/work")
async def work_as_json(site: Here, lens: Lens) -> dict[str, Any]:
    """What waits for somebody, the oldest first."""
    seen = seen_through(site.reader, lens)
    rows = await _rows(site, lens)
    names = await site.names.called()
    return {"work": json_rows(rows[:ROWS_MAX]), "truncated": len(rows) > ROWS_MAX, **seen, "names": names}


async def _rows(site: Site, lens: Lens) -> list[dict[str, Any]]:
    return await site.reader.rows(_WORK, as_of=lens)


router = Router(path="/", route_handlers=[work, work_as_json])
