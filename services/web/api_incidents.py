"""HTTP API: incidents. Commands are answered by the service that decides; a refusal is 409 with the way out."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from projections.lens import AsOf
from projections.lens import Lens as ThroughLens
from projections.query import Table
from services.command import Done
from services.incidents.commands import Declare, Open
from services.web.answers import Seen, json_rows, json_value, seen_through
from services.web.declared import ORDER, declared
from services.web.identity import AskerRequest
from services.web.incident_view import IncidentView, read_incident
from services.web.moves import EVERY_PHASE, OPEN_PHASES
from services.web.problems import Problem
from services.web.reader import as_rows
from services.web.site import Here, Lens, Site

PHASES = EVERY_PHASE
# Programs that want more than this want SQL.
INCIDENTS_MAX = 1_000
# How often a document is rendered from the live tables while the log grows, before it is rendered from the past.
LIVE_TRIES = 2


@post("/incidents", opt=declared(is_order=True, bodies=(Open, Declare)))
async def begin(request: AskerRequest, data: JSONBody[dict[str, Any]], site: Here) -> Response[Done]:
    """Declare a new incident; with ``"type": "open"``, open it for triage."""
    verb = "open" if data.get("type") == "open" else "declare"
    return Response(await site.orders.give(request, "incident", verb, data), status_code=201)


@post("/incidents/{incident_id:str}/{verb:str}", status_code=200, opt=ORDER)
async def command(
    request: AskerRequest,
    data: JSONBody[dict[str, Any]],
    incident_id: FromPath[str],
    verb: FromPath[str],
    site: Here,
) -> Done:
    """Ask something of an incident."""
    return await site.orders.give(request, "incident", verb, data, target=incident_id)


class Incidents(Seen):
    """Rows of the view ``incidents``."""

    incidents: list[dict[str, Any]]
    truncated: bool
    """Whether there are more."""
    names: dict[str, str]
    """What to call the people whose ids are in the rows."""


@get("/incidents")
async def incidents(
    site: Here, lens: Lens, phase: Annotated[str | None, QueryParameter(max_length=200)] = None
) -> Incidents:
    """The incidents, newest first; ``phase`` is one phase, several with commas, or ``open``."""
    phases = chosen_phases(phase)
    # The position is read before the query, so the answer is never older than it says.
    seen = seen_through(site.reader, lens)
    table = await list_incidents(site, phases, lens)
    return {
        "incidents": json_rows(as_rows(table)[:INCIDENTS_MAX]),
        "truncated": len(table.rows) > INCIDENTS_MAX,
        **seen,
        "names": await site.names.called(),
    }


@get("/incidents/{incident_id:str}")
async def incident(incident_id: FromPath[str], site: Here, lens: Lens) -> dict[str, Any]:
    """One incident with its timeline, alerts, pages, roles and actions."""
    return await _whole(site, incident_id, lens)


@get("/incidents/{incident_id:str}/replay")
async def replay(incident_id: FromPath[str], site: Here, lens: Lens) -> dict[str, Any]:
    """One incident as it was known at a position, and when that position was recorded."""
    fixed = lens or ThroughLens(position=site.reader.position)
    position = site.reader.position_of(fixed)
    whole = await _whole(site, incident_id, fixed)
    return {"as_of": position, "recorded_at": json_value(await site.reader.recorded_at(position))} | whole


@get("/incidents/{incident_id:str}/postmortem", media_type="text/markdown")
async def postmortem(
    incident_id: FromPath[str], site: Here, lens: Lens, names: FromQuery[bool] = True
) -> Response[str]:
    """The postmortem in Markdown. With ``names=false`` the same position gives the same bytes for ever."""
    position, text = await render_postmortem(site, incident_id, lens, names=names)
    return Response(text, media_type="text/markdown", headers={"Recount-Position": str(position)})


def chosen_phases(text: str | None) -> tuple[str, ...]:
    """The phases that a filter names: all for none, or ``open``, or some with commas.

    Raises:
        Problem: 400, there is no such phase.
    """
    if not text:
        return PHASES
    if text == "open":
        return OPEN_PHASES
    phases = tuple(name.strip() for name in text.split(","))
    strangers = [name for name in phases if name not in PHASES]
    if strangers:
        raise Problem(
            400,
            f"There is no phase {strangers[0][:40]!r}",
            because=f"the phases are {', '.join(PHASES)}",
            instead="Name one of them, several with commas, or open for those that are not over.",
        )
    return phases


async def list_incidents(site: Site, phases: Sequence[str], as_of: AsOf) -> Table:
    """Rows of incidents, newest first, one more than `INCIDENTS_MAX` when there are more."""
    return await site.reader.ask(
        f"select * from incidents where phase in (select unnest(?)) order by opened_at desc, incident_id "
        f"limit {INCIDENTS_MAX + 1}",
        (list(phases),),
        as_of=as_of,
    )


async def render_postmortem(site: Site, incident_id: str, as_of: AsOf, *, names: bool) -> tuple[int, str]:
    """The postmortem of an incident and the log position that it was made from.

    Raises:
        Problem: 404, there is no such incident.
    """
    await read_incident(site.reader, incident_id, as_of)
    called = await site.names.called() if names else None

    async def rendered(lens: AsOf) -> str:
        def ask(sql: str, params: Any = ()) -> Table:
            return site.reader.warehouse.ask(sql, params, as_of=lens)

        bounds = lens if isinstance(lens, ThroughLens) else None
        return await asyncio.to_thread(site.render_postmortem, ask, incident_id, names=called, lens=bounds)

    if as_of is not None:
        return site.reader.position_of(as_of), await rendered(as_of)
    # The live tables answer ten times faster than the lens, and alike, as long as nothing is applied in between.
    for _ in range(LIVE_TRIES):
        position = await site.reader.stored_position()
        text = await rendered(None)
        if await site.reader.stored_position() == position:
            return position, text
    return position, await rendered(position)


async def _whole(site: Site, incident_id: str, as_of: AsOf) -> dict[str, Any]:
    seen = seen_through(site.reader, as_of)
    view: IncidentView = await read_incident(site.reader, incident_id, as_of)
    parts = {name: json_value(part) for name, part in msgspec.structs.asdict(view).items()}
    return {**seen, **parts, "names": await site.names.called()}


router = Router(path="/api", route_handlers=[begin, command, incidents, incident, replay, postmortem])
