"""HTTP API: changes that senders told of."""

from datetime import timedelta
from typing import Annotated, Any

from litestar import Router, get
from litestar.params import QueryParameter

from services.web.answers import Seen, json_rows, seen_through
from services.web.changes_view import read_changes, read_changes_around
from services.web.declared import declared
from services.web.incident_view import read_incident
from services.web.site import Here, Lens

# A year; who looks further back asks SQL.
HOURS_MAX = 8_784


class Changes(Seen):
    """Rows of the view ``changes``."""

    changes: list[dict[str, Any]]


@get("/changes", opt=declared(404))
async def changes(
    site: Here,
    lens: Lens,
    service: Annotated[str, QueryParameter(max_length=200)] = "",
    incident: Annotated[str, QueryParameter(max_length=64)] = "",
    hours: Annotated[int | None, QueryParameter(ge=1, le=HOURS_MAX)] = None,
) -> Changes:
    """Deployments and other changes, the newest first: of a service, or around an incident (its service's, from a day
    before it began until it was resolved). `hours` leaves out what is older."""
    seen = seen_through(site.reader, lens)
    if incident:
        row = (await read_incident(site.reader, incident, lens)).incident
        rows = await read_changes_around(site.reader, row, lens)
    else:
        since = site.context.clock.now() - timedelta(hours=hours) if hours else None
        rows = await read_changes(site.reader, lens, service=service, since=since)
    return {"changes": json_rows(rows), **seen}


router = Router(path="/api", route_handlers=[changes])
