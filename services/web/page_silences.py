"""Pages: the silences, one silence, and making one with a look at what it would hold back."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from events import RecountError
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem, as_problem
from services.web.reader import parse_moment
from services.web.silence_view import (
    LASTS,
    LASTS_DEFAULT,
    LISTED_MAX,
    Preview,
    held_alerts,
    lines_of,
    preview,
    read_silence,
    read_silences,
)
from services.web.site import Here, Lens, Site
from services.web.why import why_of
from services.web.why_told import Subject

# Firing alerts that a preview names; how many more fit is said.
SHOWN_MAX = 30
_VERBS = {"end": "end_silence", "change": "change_silence"}
_FIELDS = ("matchers", "reason", "lasts_s", "starts_at")


@get("/silences")
async def silences(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """The list: what lasts first, with how many alerts each holds back."""
    rows = await read_silences(site.reader, lens)
    return await page(request, site, "silences.html", as_of=lens, silences=rows, listed_max=LISTED_MAX)


@get("/silences/new")
async def new_silence(
    request: AskerRequest,
    site: Here,
    matchers: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    lasts_s: FromQuery[str] = LASTS_DEFAULT,
    starts_at: FromQuery[str] = "",
) -> Template:
    """The form, and which of the alerts that fire now would fit it."""
    said = {"matchers": matchers, "reason": reason, "lasts_s": lasts_s, "starts_at": starts_at}
    return await _form(request, site, said)


@post("/silences")
async def create(request: AskerRequest, site: Here) -> Response[Any]:
    """Create a silence."""
    form = await request.form()
    said = {name: value.strip() for name in _FIELDS if isinstance(value := form.get(name), str)}
    fields: dict[str, Any] = {"matchers": lines_of(said.get("matchers", "")), "reason": said.get("reason", "")}
    try:
        fields["lasts_s"] = _seconds(said.get("lasts_s", LASTS_DEFAULT))
        if said.get("starts_at"):
            fields["starts_at"] = _moment(said["starts_at"])
        done = await site.orders.give(
            request, "signals", "create_silence", fields, order_id=_text(form.get("order_id"))
        )
    except RecountError as error:
        return await _form(request, site, {"lasts_s": LASTS_DEFAULT, "starts_at": "", "reason": ""} | said, error)
    return Redirect(f"/silences/{done.target}?min_position={done.seq}", status_code=303)


@get("/silences/{silence_id:str}")
async def silence(request: AskerRequest, silence_id: FromPath[str], site: Here, lens: Lens) -> Template:
    """One silence: what it holds back, why it is there, and forms that end it or let it last longer."""
    return await _silence_page(request, site, silence_id, lens)


@post("/silences/{silence_id:str}/{verb:str}")
async def command(request: AskerRequest, silence_id: FromPath[str], verb: FromPath[str], site: Here) -> Response[Any]:
    """End it now, or let it last for another time from now."""
    form = await request.form()
    fields: dict[str, Any] = {"reason": _text(form.get("reason"))}
    try:
        if verb not in _VERBS:
            raise Problem(
                404,
                f"A silence cannot be asked to {verb[:40]!r}",
                because=f"it knows {' and '.join(_VERBS)}",
                instead="Use the forms on its page.",
            )
        if verb == "change":
            fields["lasts_s"] = _seconds(_text(form.get("lasts_s")) or LASTS_DEFAULT)
        done = await site.orders.give(
            request, "signals", _VERBS[verb], fields, target=silence_id, order_id=_text(form.get("order_id"))
        )
    except RecountError as error:
        return await _silence_page(request, site, silence_id, None, as_problem(error))
    wait = f"?min_position={done.seq}" if done.seq else ""
    return Redirect(f"/silences/{silence_id}{wait}", status_code=303)


@get("/silences/{silence_id:str}/{verb:str}")
async def back(silence_id: FromPath[str], verb: FromPath[str]) -> Redirect:
    """A reload of a refused form's page goes back to the silence."""
    del verb
    return Redirect(f"/silences/{silence_id}", status_code=303)


async def _silence_page(
    request: AskerRequest, site: Site, silence_id: str, lens: Lens, refusal: Problem | None = None
) -> Template:
    row = await read_silence(site.reader, silence_id, lens)
    told = await why_of(request, site, Subject("silence", silence_id, row["reason"] or ""), lens)
    return await page(
        request,
        site,
        "silence.html",
        status=refusal.status if refusal else 200,
        as_of=lens,
        silence=row,
        alerts=await held_alerts(site.reader, silence_id, lens),
        lasts=LASTS,
        why=told,
        refusal=refusal,
    )


async def _form(request: AskerRequest, site: Site, said: dict[str, str], error: RecountError | None = None) -> Template:
    refusal = as_problem(error) if error else None
    found: Preview | None = None
    if lines_of(said.get("matchers", "")):
        try:
            found = await preview(site.reader, lines_of(said["matchers"]))
        except Problem as problem:
            refusal = refusal or problem
    return await page(
        request,
        site,
        "silence_new.html",
        status=refusal.status if refusal else 200,
        said=said,
        lasts=LASTS,
        preview=found,
        shown_max=SHOWN_MAX,
        refusal=refusal,
    )


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem(
            400,
            "That silence cannot be made",
            because=f"{text[:40]!r} is no number of seconds",
            instead="Choose how long it lasts.",
        )
    return int(text)


def _moment(text: str) -> str:
    moment = parse_moment(text)
    if moment is None:
        raise Problem(
            400,
            "That silence cannot be made",
            because=f"{text[:40]!r} is no time",
            instead="Give a time such as 2026-03-01T14:05 (UTC unless it has an offset).",
        )
    return moment.isoformat()


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


router = Router(path="/", route_handlers=[silences, new_silence, create, silence, command, back])
