"""Page: the postmortem of an incident, rendered by replay, and publishing it."""

import hashlib
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template
from markdown_it import MarkdownIt
from markupsafe import Markup

from services.web.api_incidents import render_postmortem
from services.web.asked_lens import AskedLens
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Lens

# Titles and notes come from anybody who can send an alert: no HTML, and no picture that a browser would fetch.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@get("/postmortem/{incident_id:str}")
async def postmortem(request: AskerRequest, incident_id: FromPath[str], site: Here, lens: Lens) -> Template:
    """The document, and where to get its Markdown."""
    made_from, text = await render_postmortem(site, incident_id, lens, names=True)
    exactly = msgspec.structs.replace(AskedLens.of(request.query_params), as_of=str(made_from))
    return await page(
        request,
        site,
        "postmortem.html",
        as_of=lens,
        incident_id=incident_id,
        made_from=made_from,
        document_href=exactly.through(f"/api/incidents/{incident_id}/postmortem"),
        document=Markup(_MARKDOWN.render(text)),
    )


@post("/postmortem/{incident_id:str}/publish")
async def publish(request: AskerRequest, incident_id: FromPath[str], site: Here) -> Response[Any]:
    """Record that people have read the document: its position, and the hash of its bytes without names."""
    form = await request.form()
    made_from = form.get("made_from_seq")
    if not isinstance(made_from, str):
        raise Problem(
            400,
            f"The postmortem of {incident_id[:64]} was not published",
            because="the form does not say which position it was made from",
            instead=f"Read it and publish it there: /postmortem/{incident_id[:64]}",
        )
    position, text = await render_postmortem(site, incident_id, await site.reader.resolve(made_from), names=False)
    fields = {"made_from_seq": position, "document_sha256": hashlib.sha256(text.encode()).hexdigest()}
    order_id = form.get("order_id")
    done = await site.orders.give(
        request,
        "incident",
        "publish_review",
        fields,
        target=incident_id,
        order_id=order_id if isinstance(order_id, str) else "",
    )
    return Redirect(f"/incidents/{incident_id}" + (f"?min_position={done.seq}" if done.seq else ""), status_code=303)


router = Router(path="/", route_handlers=[postmortem, publish])
