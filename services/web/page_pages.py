"""Page: one page to a person, how far it came, and why."""

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Template

from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Lens
from services.web.why import why_of
from services.web.why_told import Subject


@get("/pages/{page_id:str}")
async def one_page(request: AskerRequest, page_id: FromPath[str], site: Here, lens: Lens) -> Template:
    """One page: whom it asked about what, every attempt, and what led to it."""
    rows = await site.reader.rows("select * from pages where page_id = ?", (page_id,), as_of=lens)
    if not rows:
        raise Problem(
            404,
            f"There is no page {page_id[:64]}",
            because=f"none was known at log position {site.reader.position_of(lens)}",
            instead="Pages stand on the page of their incident.",
        )
    told = await why_of(request, site, Subject("page", page_id, f"about {rows[0]['incident_id']}"), lens)
    return await page(request, site, "page.html", as_of=lens, row=rows[0], why=told)


router = Router(path="/", route_handlers=[one_page])
