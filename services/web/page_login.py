"""Page: logging in with an access token, and out again."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import Request, Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from services.web.identity import OPEN, AskerRequest, refuse_other_sites
from services.web.problems import Problem
from services.web.site import Here

_Next = Annotated[str, QueryParameter(name="next")]


@get("/login", opt=OPEN)
async def login_form(next_path: _Next = "/") -> Template:
    """The form."""
    return _page(safe_path(next_path))


@post("/login", opt=OPEN)
async def login(request: Request[Any, Any, Any], site: Here) -> Response[Any]:
    """Open a session for the holder of a token."""
    refuse_other_sites(request)
    address = request.client.host if request.client else ""
    site.login_failures.refuse_guessing(address)
    form = await request.form()
    next_path = safe_path(_text(form.get("next")))
    handle = _text(form.get("handle"))
    token = site.tokens.by_secret(_text(form.get("token")))
    if token is None:
        site.login_failures.add(address)
        return _page(next_path, handle=handle, problem="This token is not valid. Copy it whole, without spaces.")
    person_id = token.person_id
    if handle and not person_id:
        try:
            person_id = (await site.names.find(handle)).person_id
        except Problem as problem:
            return _page(next_path, handle=handle, problem=f"{problem.error}: {problem.because}.")
    response = Redirect(next_path, status_code=303)
    response.set_cookie(site.sessions.cookie(site.sessions.new(token.token_id, person_id)))
    return response


@post("/logout")
async def logout(request: AskerRequest, site: Here) -> Redirect:
    """End the session."""
    del request
    response = Redirect("/login", status_code=303)
    response.set_cookie(site.sessions.end())
    return response


def safe_path(path: str) -> str:
    """A path on this site to go to, ``/`` for anything that a browser might take for another site.

    Browsers read a backslash as a slash and drop control characters, so ``/\\\\evil.example`` leads away.
    """
    split = urlsplit(path) if path.isprintable() and "\\" not in path else None
    if split is None or split.scheme or split.netloc or not path.startswith("/") or path.startswith("//"):
        return "/"
    return path


def _page(next_path: str, *, handle: str = "", problem: str = "") -> Template:
    return Template(
        "login.html",
        context={"next_path": next_path, "handle": handle, "problem": problem},
        status_code=401 if problem else 200,
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


router = Router(path="/", route_handlers=[login_form, login, logout])
