"""What every page has in common: who is logged in, how far the log was read, what people are called."""

from typing import Any

from litestar.response import Template

from events.ids import new_event_id
from services.web.identity import CSRF_FIELD, AskerRequest
from services.web.site import Site
from services.web.wording import naive_utc


async def page(
    request: AskerRequest,
    site: Site,
    template: str,
    *,
    status: int = 200,
    as_of: int | None = None,
    **context: Any,
) -> Template:
    """A page for somebody who is logged in.

    Args:
        request: who asks.
        site: the application's parts.
        template: file name of the template.
        status: the HTTP status.
        as_of: the position that the page shows, when it is not the present.
        context: what the template needs besides.
    """
    identity = request.user
    called = await site.names.called()
    session = identity.session
    as_of_moment = await site.reader.recorded_at(as_of) if as_of is not None else None
    return Template(
        template,
        context={
            "me": identity,
            "my_name": called.get(identity.person_id, "administrator"),
            "called": called,
            "csrf_field": CSRF_FIELD,
            "csrf_token": site.sessions.csrf_token(session) if session else "",
            # Sent twice, as by a second click, a form with the same id is carried out once.
            "order_id": new_event_id(),
            # A page of the past tells ages as they were then.
            "now": as_of_moment or naive_utc(site.reader.now),
            "position": site.reader.position if as_of is None else as_of,
            "as_of": as_of,
            "as_of_moment": as_of_moment,
            "as_of_text": request.query_params.get("as_of", ""),
            "path": request.url.path,
            **context,
        },
        status_code=status,
    )
