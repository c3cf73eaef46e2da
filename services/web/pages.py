"""What every page has in common: who is logged in, how far the log was read, what people are called."""

from datetime import datetime
from typing import Any

from litestar.response import Template

from events.ids import new_event_id
from projections.lens import AsOf, Lens
from services.web.asked_lens import AskedLens, without_lens
from services.web.identity import CSRF_FIELD, AskerRequest
from services.web.site import Site
from services.web.wording import naive_utc


async def page(
    request: AskerRequest,
    site: Site,
    template: str,
    *,
    status: int = 200,
    as_of: AsOf = None,
    asked_lens: AskedLens | None = None,
    **context: Any,
) -> Template:
    """A page for somebody who is logged in.

    Args:
        request: who asks.
        site: the application's parts.
        template: file name of the template.
        status: the HTTP status.
        as_of: the lens that the page is looked at through, when it is not the present.
        asked_lens: how the lens was asked for, when the address of the page does not say it.
        context: what the template needs besides.
    """
    identity = request.user
    called = await site.names.called()
    session = identity.session
    lens = Lens(position=as_of) if isinstance(as_of, int) else as_of
    position = site.reader.position_of(lens)
    as_of_moment = await site.reader.recorded_at(position) if lens else None
    if asked_lens is None:
        asked_lens = AskedLens.of(request.query_params) if lens else AskedLens()
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
            "now": _moment_of(lens, as_of_moment) or naive_utc(site.reader.now),
            "position": position,
            "as_of": position if lens else None,
            "as_of_moment": as_of_moment,
            "lens": lens,
            "asked_lens": asked_lens,
            "back_to_now": without_lens(request.url.path, request.query_params),
            "path": request.url.path,
            "shown_incident": request.path_params.get("incident_id", ""),
            **context,
        },
        status_code=status,
    )


def _moment_of(lens: Lens | None, recorded_at: datetime | None) -> datetime | None:
    """The moment that is the present for whoever looks through a lens."""
    if lens is None or recorded_at is None or lens.happened_by is None:
        return recorded_at
    return min(naive_utc(lens.happened_by), recorded_at)
