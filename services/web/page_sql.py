"""Page: a console for SQL over the views, as of any position, with CSV."""

import asyncio
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromQuery
from litestar.response import Template

from events import RecountError
from services.web.api_sql import Result, answer, csv_answer
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem, as_problem
from services.web.site import Here, Site

# A browser scrolls through so many without effort; the CSV has as many as the answer.
SHOWN_ROWS_MAX = 1_000

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "What is open",
        "select incident_id, severity, phase, title, service, opened_at\n"
        "from incidents\n"
        "where phase in ('triage', 'active', 'contained', 'eradicated')\n"
        "order by severity, opened_at",
    ),
    ("How fast we acknowledge", "select * from metric_summary order by metric"),
    (
        "Who was woken most",
        "select name, count(*) as pages\n"
        "from pages\njoin people using (person_id)\n"
        "where state in ('sent', 'answered')\n"
        "group by name\norder by pages desc",
    ),
    (
        "What was recorded late",
        "select incident_id, headline, happened_at, recorded_at, recorded_at - happened_at as late_by\n"
        "from incident_timeline\n"
        "where recorded_at - happened_at > interval 1 minute\n"
        "order by late_by desc\nlimit 50",
    ),
    (
        "The log itself",
        "select seq, stream, type, happened_at, recorded_at, actor\nfrom log\norder by seq desc\nlimit 50",
    ),
)


@get("/sql")
async def console(request: AskerRequest, site: Here, sql: FromQuery[str] = "") -> Template:
    """The console. A query in the address is shown, and runs only when it is sent."""
    return await _page(request, site, sql or EXAMPLES[0][1], request.query_params.get("as_of", ""))


@post("/sql", status_code=200)
async def run(request: AskerRequest, site: Here) -> Response[Any]:
    """Run a query, and show the answer or hand it out as CSV."""
    form = await request.form()
    sql, as_of = str(form.get("sql", "")), str(form.get("as_of", "")).strip()
    try:
        if not sql.strip():
            raise Problem(400, "There is nothing to run", because="the query is empty", instead="Try an example.")
        result = await answer(site, sql, as_of)
    except RecountError as error:
        return await _page(request, site, sql, as_of, refusal=as_problem(error))
    if form.get("format") == "csv":
        return csv_answer(result)
    return await _page(request, site, sql, as_of, result=result)


async def _page(
    request: AskerRequest,
    site: Site,
    sql: str,
    as_of: str,
    *,
    result: Result | None = None,
    refusal: Problem | None = None,
) -> Template:
    return await page(
        request,
        site,
        "sql.html",
        status=refusal.status if refusal else 200,
        sql=sql,
        asked_as_of=as_of,
        examples=EXAMPLES,
        views=sorted(await asyncio.to_thread(site.reader.warehouse.views), key=lambda view: view.name),
        result=result,
        shown_max=SHOWN_ROWS_MAX,
        refusal=refusal,
    )


router = Router(path="/", route_handlers=[console, run])
