"""Page: what came in and what became of it, who is silent, heartbeats, and where senders post."""

from typing import Any

from litestar import Router, get
from litestar.response import Template

from services.web.api_intake import read_heartbeats, read_sources
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.site import Here, Lens

# The last day, which is what somebody on call asks about; the API and SQL know the rest.
_BY_SOURCE = """
    select
        source,
        integration,
        max(hour) as last_hour,
        cast(sum(received) as bigint) as received,
        cast(sum(facts) as bigint) as facts,
        cast(sum(duplicates) as bigint) as duplicates,
        cast(sum(refused) as bigint) as refused,
        cast(sum(dead) as bigint) as dead,
        cast(sum(unaccounted) as bigint) as unaccounted,
        cast(sum(missing) as bigint) as missing
    from intake_ledger
    where hour > (select max(hour) from intake_ledger) - interval 24 hour
    group by source, integration
    order by source, integration
"""


@get("/intake")
async def intake(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """The ledger of the last day by source, and what senders need."""
    (total,) = await site.reader.rows("select * from completeness", as_of=lens)
    rows = await site.reader.rows(_BY_SOURCE, as_of=lens)
    silence = await site.reader.rows("select * from source_silence", as_of=lens)
    return await page(
        request,
        site,
        "intake.html",
        as_of=lens,
        total=total,
        ledger=[row for row in rows if row["source"]],
        missing=sum(row["missing"] for row in rows),
        silence=_by_source(silence),
        heartbeats=await read_heartbeats(site, lens),
        sources=await read_sources(request, site),
    )


def _by_source(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["source"], row["integration"]): row for row in rows}


router = Router(path="/", route_handlers=[intake])
