"""Whatever goes wrong becomes an answer that says what, why, and what to do instead.

Under ``/api`` and for ``/healthz`` the answer is JSON: ``{"error", "because", "instead"}``. Elsewhere it is a page.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template

from events import LogUnavailable, RecountError
from projections.query import QueryRefused
from services.command import CommandRefused

logger = logging.getLogger("recount.web")

DOCUMENT_PATH = "/api/openapi.json"
"""Where the OpenAPI document of this API is."""

# A person who waits longer than this for a service that is down should be told; a program tries again then.
RETRY_AFTER_S = 5

STATUS_OF_REFUSAL = {"invalid": 400, "not_found": 404, "not_allowed": 409, "unavailable": 503}


class Problem(RecountError):
    """A request that cannot be served.

    Attributes:
        status: the HTTP status.
        error: what was asked or what is wrong.
        because: why.
        hint: what to do instead.
    """

    def __init__(self, status: int, error: str, *, because: str = "", instead: str = "") -> None:
        super().__init__(error, hint=instead)
        self.status = status
        self.error = error
        self.because = because


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON body of a problem."""

    error: str
    """What was asked, or what is wrong."""
    because: str = ""
    """Why."""
    instead: str = ""
    """What to do instead."""


class LoginWanted(Problem):
    """Nobody is logged in, and the page is not for everybody."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "This needs a login",
            because="no valid access token or session came with the request",
            instead="Send `Authorization: Bearer <token>`; `recount up --json` prints the token.",
        )


def is_api(path: str) -> bool:
    """Whether a path is answered in JSON."""
    return path.startswith("/api/") or path == "/healthz"


def as_problem(error: Exception) -> Problem:
    """Any exception as a problem with a status."""
    match error:
        case Problem():
            return error
        case CommandRefused():
            answer = error.answer
            return Problem(STATUS_OF_REFUSAL[answer.code], answer.asked, because=answer.because, instead=answer.instead)
        case LogUnavailable():
            return Problem(503, "Recount cannot do this right now", because=str(error), instead=error.hint)
        case QueryRefused():
            return Problem(400, "The query was refused", because=str(error), instead=error.hint)
        case RecursionError():
            return Problem(400, "The request cannot be read", because="it is nested too deeply")
        case HTTPException(status_code=404):
            return Problem(404, "There is no such page", instead="Start from the list of incidents.")
        case HTTPException():
            extra = error.extra if isinstance(error.extra, list) else []
            if wrong := "; ".join(map(_wrong_field, extra)):
                hint = f"GET {DOCUMENT_PATH} says what each request takes."
                return Problem(error.status_code, "The request cannot be used", because=wrong, instead=hint)
            return Problem(error.status_code, _phrase(error.status_code), because=error.detail)
    logger.error("web: unexpected error", exc_info=error)
    return Problem(500, "Something unexpected went wrong", because="the reason is in the log of the readers process")


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer for an exception that no handler caught."""
    problem = as_problem(error)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if problem.status in (429, 503) else {}
    if isinstance(error, HTTPException):
        headers |= error.headers or {}  # which methods a route has
    if is_api(request.url.path):
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(problem_body(problem), status_code=problem.status, media_type=MediaType.JSON, headers=headers)
    if isinstance(problem, LoginWanted):
        # Only a page may be returned to after the login; a form that was sent is lost, and must not be sent twice.
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        query = {"next": path} if request.method == "GET" and path != "/" else None
        return Redirect("/login", query_params=query, status_code=303)
    return Template(
        "error.html",
        context={"problem": problem, "phrase": _phrase(problem.status)},
        status_code=problem.status,
        headers=headers,
    )


def problem_body(problem: Problem) -> Refusal:
    """The JSON body of a problem; empty parts are left out."""
    return Refusal(error=problem.error, because=problem.because, instead=problem.hint)


def _wrong_field(found: Mapping[str, Any]) -> str:
    """``secret: expected str of length >= 8``, of what Litestar and msgspec say about a field."""
    problem = str(found.get("message", "")).replace("`", "")
    return ": ".join(filter(None, (str(found.get("key", "")), problem[:1].lower() + problem[1:])))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
