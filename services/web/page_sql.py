"""Page: a console for SQL over the views, through any lens, with CSV, Arrow and Parquet."""

import asyncio
from typing import Any, Literal

from litestar import Response, Router, get, post
from litestar.params import FromQuery
from litestar.response import Template

from events import RecountError
from projections.lens import AsOf
from services.web.api_sql import Result, answer, csv_answer, file_answer
from services.web.asked_lens import AskedLens
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem, as_problem
from services.web.site import Here, Lens, Site

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


FORMATS: dict[str, Literal["arrow", "parquet"]] = {"arrow": "arrow", "parquet": "parquet"}


@get("/sql")
async def console(request: AskerRequest, site: Here, lens: Lens, sql: FromQuery[str] = "") -> Template:
    """The console. A query in the address is shown, and runs only when it is sent."""
    asked = AskedLens.of(request.query_params)
    return await _page(request, site, sql or EXAMPLES[0][1], asked, as_of=lens)


@post("/sql", status_code=200)
async def run(request: AskerRequest, site: Here) -> Response[Any]:
    """Run a query, and show the answer or hand it out as a file."""
    form = await request.form()
    sql, asked, wanted = str(form.get("sql", "")), AskedLens.of(form), str(form.get("format", ""))
    try:
        if not sql.strip():
            raise Problem(400, "There is nothing to run", because="the query is empty", instead="Try an example.")
        if wanted in FORMATS:
            return await file_answer(site, sql, asked, FORMATS[wanted])
        result = await answer(site, sql, asked)
    except RecountError as error:
        return await _page(request, site, sql, asked, refusal=as_problem(error))
    if wanted == "csv":
        return csv_answer(result)
    return await _page(request, site, sql, asked, as_of=result.lens, result=result)


async def _page(
    request: AskerRequest,
    site: Site,
    sql: str,
    asked: AskedLens,
    *,
    as_of: AsOf = None,
    result: Result | None = None,
    refusal: Problem | None = None,
) -> Template:
    return await page(
        request,
        site,
        "sql.html",
        status=refusal.status if refusal else 200,
        as_of=as_of,
        asked_lens=asked,
        sql=sql,
        examples=EXAMPLES,
        views=await asyncio.to_thread(site.reader.warehouse.documented_views, typed=False),
        result=result,
        shown_max=SHOWN_ROWS_MAX,
        refusal=refusal,
    )


router = Router(path="/", route_handlers=[console, run])
