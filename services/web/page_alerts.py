"""Pages and API: the alerts, and one alert with why it did what it did; now or through a lens."""

from typing import Any

import msgspec
from litestar import Router, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from events.alert import ALERT_SEVERITIES
from services.web.alert_view import DEFAULT_FILTER, LISTED_MAX, alert_query, read_alert
from services.web.answers import json_rows, json_value, seen_through
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.silence_view import LASTS, matchers_of
from services.web.site import Here, Lens
from services.web.why import why_of
from services.web.why_told import Subject


@get("/alerts")
async def alerts(
    request: AskerRequest,
    site: Here,
    lens: Lens,
    show: FromQuery[str] = DEFAULT_FILTER,
    severity: FromQuery[str] = "",
    service: FromQuery[str] = "",
    text: FromQuery[str] = "",
) -> Template:
    """The list: what fires first, the most severe on top."""
    query = alert_query(show, severity, service, text)
    rows = await query.rows(site.reader, lens)
    return await page(
        request,
        site,
        "alerts.html",
        as_of=lens,
        alerts=rows,
        query=query,
        filters=await query.counts(site.reader, lens),
        severities=ALERT_SEVERITIES,
        listed_max=LISTED_MAX,
    )


@get("/alerts/{alert_key:str}")
async def alert(request: AskerRequest, alert_key: FromPath[str], site: Here, lens: Lens) -> Template:
    """One alert: what it is, what it did, why, and a form that silences it."""
    view = await read_alert(site.reader, alert_key, lens)
    told = await why_of(request, site, Subject("alert", alert_key, view.alert["title"] or ""), lens)
    return await page(
        request,
        site,
        "alert.html",
        as_of=lens,
        view=view,
        alert=view.alert,
        timeline=view.timeline[::-1],
        matchers=matchers_of(view),
        lasts=LASTS,
        why=told,
    )


@get("/api/alerts")
async def alerts_as_json(
    site: Here,
    lens: Lens,
    show: FromQuery[str] = DEFAULT_FILTER,
    severity: FromQuery[str] = "",
    service: FromQuery[str] = "",
    text: FromQuery[str] = "",
) -> dict[str, Any]:
    """Alerts: those that fire, or others as ``show`` says, with filters."""
    seen = seen_through(site.reader, lens)
    rows = await alert_query(show, severity, service, text).rows(site.reader, lens)
    return {"alerts": json_rows(rows), "truncated": len(rows) == LISTED_MAX, **seen}


@get("/api/alerts/{alert_key:str}")
async def alert_as_json(alert_key: FromPath[str], site: Here, lens: Lens) -> dict[str, Any]:
    """One alert with its timeline and occurrences."""
    seen = seen_through(site.reader, lens)
    view = await read_alert(site.reader, alert_key, lens)
    parts = {name: json_value(part) for name, part in msgspec.structs.asdict(view).items()}
    return {**seen, **parts, "names": await site.names.called()}


router = Router(path="/", route_handlers=[alerts, alert, alerts_as_json, alert_as_json])
