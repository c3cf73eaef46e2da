"""Page: the postmortem of an incident, rendered by replay."""

from litestar import Router, get
from litestar.params import FromPath
from litestar.response import Template
from markdown_it import MarkdownIt
from markupsafe import Markup

from services.web.api_incidents import render_postmortem
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.site import Here, Lens

# Titles and notes come from anybody who can send an alert: no HTML, and no picture that a browser would fetch.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@get("/postmortem/{incident_id:str}")
async def postmortem(request: AskerRequest, incident_id: FromPath[str], site: Here, lens: Lens) -> Template:
    """The document, and where to get its Markdown."""
    made_from, text = await render_postmortem(site, incident_id, lens, names=True)
    return await page(
        request,
        site,
        "postmortem.html",
        as_of=lens,
        incident_id=incident_id,
        made_from=made_from,
        document=Markup(_MARKDOWN.render(text)),
    )


router = Router(path="/", route_handlers=[postmortem])
