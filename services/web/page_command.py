"""Pages: forms that ask for something. Done leads to the incident as it is then; refused shows why, beside the form."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from events import RecountError
from services.web.forms import command_fields
from services.web.identity import AskerRequest
from services.web.moves import SEVERITY_CHOICES
from services.web.page_incidents import incident_page
from services.web.pages import page
from services.web.problems import Problem, as_problem
from services.web.site import Here, Site

_DECLARE_FIELDS = (
    "title",
    "severity",
    "profile",
    "service",
    "reason",
    "commander",
    "detected_at",
    "declared_at",
    "resolved_at",
)


@get("/declare")
async def declare_form(request: AskerRequest, site: Here) -> Template:
    """The form that declares an incident, or opens it for triage."""
    return await _declare_page(request, site, {})


@post("/declare")
async def declare(request: AskerRequest, site: Here) -> Response[Any]:
    """Declare an incident, or open it for triage."""
    form = await request.form()
    said = {name: value.strip() for name in _DECLARE_FIELDS if isinstance(value := form.get(name), str)}
    fields = {name: value for name, value in said.items() if value}
    try:
        verb = "open" if form.get("verb") == "open" else "declare"
        if verb == "open":
            fields = _suspected(fields)
        done = await site.orders.give(request, "incident", verb, fields, order_id=_text(form.get("order_id")))
    except RecountError as error:
        return await _declare_page(request, site, said, error)
    return Redirect(f"/incidents/{done.target}?min_position={done.seq}", status_code=303)


@post("/incidents/{incident_id:str}/{verb:str}")
async def command(request: AskerRequest, incident_id: FromPath[str], verb: FromPath[str], site: Here) -> Response[Any]:
    """Ask something of an incident."""
    form = await request.form()
    try:
        done = await site.orders.give(
            request,
            "incident",
            verb,
            command_fields(verb, form),
            target=incident_id,
            order_id=_text(form.get("order_id")),
        )
    except RecountError as error:
        said = {name: value for name, value in form.items() if isinstance(value, str)}
        return await incident_page(request, site, incident_id, refusal=as_problem(error), verb=verb, said=said)
    wait = f"?min_position={done.seq}" if done.seq else ""
    return Redirect(f"/incidents/{incident_id}{wait}", status_code=303)


@get("/incidents/{incident_id:str}/{verb:str}")
async def back(incident_id: FromPath[str], verb: FromPath[str]) -> Redirect:
    """A reload of a refused form's page goes back to the incident."""
    del verb
    return Redirect(f"/incidents/{incident_id}", status_code=303)


async def _declare_page(
    request: AskerRequest, site: Site, said: dict[str, str], error: RecountError | None = None
) -> Template:
    refusal = as_problem(error) if error else None
    return await page(
        request,
        site,
        "declare.html",
        status=refusal.status if refusal else 200,
        severities=SEVERITY_CHOICES,
        people=await site.names.present(),
        refusal=refusal,
        said=said,
    )


def _suspected(fields: dict[str, str]) -> dict[str, str]:
    """The fields of an opening out of those of a declaration: its own time is that of the first sign."""
    if "declared_at" in fields or "resolved_at" in fields:
        raise Problem(
            400,
            "It was not opened for triage",
            because="what is declared, or over, is not only suspected",
            instead="Declare it, or leave out when it was declared and over.",
        )
    if "commander" in fields:
        raise Problem(
            400,
            "It was not opened for triage",
            because="nobody commands what is only suspected",
            instead="Leave the commander out, or declare it.",
        )
    renamed = {"detected_at": "happened_at"}
    return {renamed.get(name, name): value for name, value in fields.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


router = Router(path="/", route_handlers=[declare_form, declare, command, back])
