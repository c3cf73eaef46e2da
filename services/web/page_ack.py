"""Page: the link in a page. It needs no login and shows one button, because mail scanners follow links."""

from datetime import UTC
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Template

from events import RecountError
from events.ids import derived_event_id
from services.incidents.commands import Acknowledge
from services.page_link import LinkExpired, PageLink, verify
from services.web.identity import OPEN
from services.web.moves import OPEN_PHASES
from services.web.problems import Problem, as_problem
from services.web.site import Here, Site


@get("/ack/{token:str}", opt=OPEN)
async def look(token: FromPath[str], site: Here) -> Template:
    """What is asked, and the button."""
    return await _page(site, token, _verified(site, token))


@post("/ack/{token:str}", opt=OPEN, status_code=200)
async def acknowledge(token: FromPath[str], site: Here) -> Response[Any]:
    """Acknowledge in the name of the person whose page it was."""
    link = _verified(site, token)
    try:
        done = await site.orders.send(
            "incident",
            "acknowledge",
            Acknowledge(page_id=link.page_id),
            # One page is answered once, however often the button is pressed.
            order_id=derived_event_id(link.page_id, "acknowledge", link.person_id),
            actor=link.person_id,
            auth_id=f"page:{link.page_id}",
            target=link.incident_id,
        )
    except RecountError as error:
        return await _page(site, token, link, refusal=as_problem(error))
    return await _page(site, token, link, done=done.message)


def _verified(site: Site, token: str) -> PageLink:
    try:
        return verify(token, bytes.fromhex(site.context.secrets.page_link_key), site.context.clock.now())
    except RecountError as error:
        status = 410 if isinstance(error, LinkExpired) else 404
        raise Problem(
            status, "This link does not acknowledge anything", because=str(error), instead=error.hint
        ) from error


async def _page(site: Site, token: str, link: PageLink, *, done: str = "", refusal: Problem | None = None) -> Template:
    # The warehouse may be a moment behind the log, or be rebuilt: the button works all the same.
    incidents = await site.reader.rows("select * from incidents where incident_id = ?", (link.incident_id,))
    incident = incidents[0] if incidents else None
    answered = await site.reader.rows(
        "select acknowledged_at from responders "
        "where incident_id = ? and person_id = ? and acknowledged_at is not null",
        (link.incident_id, link.person_id),
    )
    return Template(
        "ack.html",
        context={
            "called": await site.names.called(),
            "incident": incident,
            "incident_id": link.incident_id,
            "is_over": incident is not None and incident["phase"] not in OPEN_PHASES,
            "person_id": link.person_id,
            "expires_at": link.expires_at.astimezone(UTC),
            "answered_at": answered[0]["acknowledged_at"] if answered else None,
            "token": token,
            "done": done,
            "refusal": refusal,
        },
        status_code=refusal.status if refusal else 200,
    )


router = Router(path="/", route_handlers=[look, acknowledge])
