"""Pages: the list of incidents, one incident, and declaring one."""

from collections.abc import Sequence
from typing import Any

from litestar import Router, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from projections.lens import AsOf
from services.running import read_running
from services.web.changes_view import read_changes_around
from services.web.forms import Choices, moves_for
from services.web.identity import AskerRequest
from services.web.incident_view import IncidentView, read_incident, read_moments
from services.web.move import Move
from services.web.moves import AGREE_ACTION, FINISH_ACTION, NOTE, OPEN_PHASES
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Lens, Site

# More than a person looks through; older ones are found by SQL.
LISTED_MAX = 200
FILTERS: dict[str, tuple[str, ...]] = {
    "open": OPEN_PHASES,
    "resolved": ("resolved",),
    "closed": ("closed",),
    "set aside": ("dismissed", "merged"),
    "all": (*OPEN_PHASES, "resolved", "closed", "dismissed", "merged"),
}
DEFAULT_FILTER = "all"

_LIST = f"""
    select *, phase in {OPEN_PHASES} as is_open
    from incidents
    where phase in (select unnest(?))
    order by is_open desc, case when is_open then severity end, opened_at desc, incident_id
    limit {LISTED_MAX}
"""
# Whoever adds an alert by hand saw it a moment ago; older ones are added with `recount link`.
_OTHER_ALERTS = """
    select alert_key, title, service from alerts where incident_id is distinct from ?
    order by started_at desc, alert_key limit 50
"""
_COUNTS = "select phase, count(*) as incidents from incidents group by phase"


@get("/")
async def incidents(request: AskerRequest, site: Here, lens: Lens, phase: FromQuery[str] = DEFAULT_FILTER) -> Template:
    """The list: what is open first, the most severe on top."""
    chosen = FILTERS.get(phase, (phase,) if phase in FILTERS["all"] else None)
    if chosen is None:
        raise Problem(
            400,
            f"There is no phase {phase[:40]!r}",
            because=f"the filter knows {', '.join(FILTERS)} and the phases themselves",
            instead="Choose one above the list of incidents.",
        )
    rows = await site.reader.rows(_LIST, (list(chosen),), as_of=lens)
    counts = {row["phase"]: row["incidents"] for row in await site.reader.rows(_COUNTS, as_of=lens)}
    return await page(
        request,
        site,
        "incidents.html",
        as_of=lens,
        incidents=rows,
        listed_max=LISTED_MAX,
        filters={name: sum(counts.get(phase, 0) for phase in phases) for name, phases in FILTERS.items()},
        chosen=phase,
        first_alert=None if counts or lens is not None else _first_alert(request, site),
    )


@get("/incidents/{incident_id:str}")
async def incident(request: AskerRequest, incident_id: FromPath[str], site: Here, lens: Lens) -> Template:
    """One incident: what is known, what happened, and what can be done."""
    return await incident_page(request, site, incident_id, lens)


async def incident_page(
    request: AskerRequest,
    site: Site,
    incident_id: str,
    as_of: AsOf = None,
    *,
    refusal: Problem | None = None,
    verb: str = "",
    said: dict[str, Any] | None = None,
) -> Template:
    """The page of one incident, with a refusal beside the form that was sent.

    Args:
        request: who asks.
        site: the application's parts.
        incident_id: which incident.
        as_of: the lens to look through, None for the present.
        refusal: why what was just asked was not done.
        verb: what was just asked.
        said: what was in the form, so that nothing has to be typed again.
    """
    view = await read_incident(site.reader, incident_id, as_of)
    row = view.incident
    changes = await read_changes_around(site.reader, row, as_of)
    moves: list[Move] = []
    if as_of is None:
        moves = moves_for(row["phase"], row["profile"], await _choices(site, view, changes, request.user.person_id))
    said = said or {}
    unfinished = {item["action_id"] for item in view.action_items if item["state"] == "open"}
    has_form = {move.verb for move in moves} | {NOTE.verb, AGREE_ACTION.verb}
    mine = {responder["person_id"] for responder in view.responders if responder["acknowledged_at"]}
    if request.user.person_id in mine:
        moves = [move for move in moves if move.verb != "acknowledge"]
    return await page(
        request,
        site,
        "incident.html",
        status=refusal.status if refusal else 200,
        as_of=as_of,
        view=view,
        incident=row,
        is_open=row["phase"] in OPEN_PHASES,
        # By when it happened, newest first; what was recorded late is marked, and stands where it belongs.
        timeline=sorted(view.timeline, key=lambda line: (line["happened_at"], line["seq"]), reverse=True),
        moves=moves,
        as_it_is={
            "severity.severity": row["severity"],
            "impact.scope": row["service"] or "",
            "rename.title": row["title"],
        },
        note=None if as_of is not None else NOTE,
        agree=None if as_of is not None else AGREE_ACTION,
        finish=None if as_of is not None else FINISH_ACTION,
        people=await site.names.present(),
        changes=changes,
        moments=await read_moments(site.reader, incident_id),
        refusal=refusal,
        asked=verb,
        said=said,
        has_form=verb in has_form or (verb == FINISH_ACTION.verb and said.get("action_id") in unfinished),
    )


async def _choices(site: Site, view: IncidentView, changes: Sequence[dict[str, Any]], person_id: str) -> Choices:
    """What the incident's own choices are between, for the one who looks."""
    mine = [row["role"] for row in view.roles if row["until"] is None and row["person_id"] == person_id]
    offered = [row["role"] for row in view.offers if row["person_id"] == person_id]
    others = await site.reader.rows(_OTHER_ALERTS, (view.incident["incident_id"],))
    return {
        "offer.role": [(role, role) for role in mine],
        "accept.role": [(role, role) for role in offered],
        "link.alert_key": [(row["alert_key"], _alert(row)) for row in others],
        "unlink.alert_key": [(row["alert_key"], _alert(row)) for row in view.alerts],
        "link_change.change_key": [(row["change_key"], _change(row)) for row in changes],
        "unlink_change.change_key": [(row["change_key"], _change(row)) for row in changes if row["parts"]],
    }


def _change(row: dict[str, Any]) -> str:
    return f"{row['title']} ({row['changed_at']:%Y-%m-%d %H:%M} UTC)"


def _alert(row: dict[str, Any]) -> str:
    return f"{row['title']} ({row['service']})" if row["service"] else str(row["title"])


def _first_alert(request: AskerRequest, site: Site) -> dict[str, str]:
    running = read_running(site.context.data)
    key = site.context.secrets.keys.get("json") if request.user.is_admin else None
    return {
        "url": (running.intake_url if running else "") or "http://127.0.0.1:8081",
        "key": key.secret if key else "<key>",
    }


router = Router(path="/", route_handlers=[incidents, incident])
