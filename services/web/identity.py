"""Who asks: a bearer token, or a session cookie with a CSRF token on everything that changes something.

Authentication is refused by default. A handler is open to all only by saying so: ``opt=OPEN``.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp

from services.web.problems import LoginWanted, Problem
from services.web.sessions import COOKIE, Session, Sessions
from services.web.tokens import Token, Tokens

_OPEN_KEY = "open_to_all"
OPEN: dict[str, Any] = {_OPEN_KEY: True}
"""Handler option: no login is needed."""


def is_open(options: Mapping[str, Any]) -> bool:
    """Whether the options of a handler say that no login is needed."""
    return bool(options.get(_OPEN_KEY))


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
ACTOR_HEADER = "Recount-Actor"
ADMIN_ACTOR = "administrator"
"""Actor of what an admin token does without saying in whose name: somebody, though we do not know who. It is nobody's
id, and no ``service:`` either, because what people do counts as done by people."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how we know."""

    token: Token
    person_id: str = ""
    session: Session | None = None
    """None when a bearer token came with the request."""

    @property
    def auth_id(self) -> str:
        """What the log keeps of the credential."""
        return f"token:{self.token.token_id}"

    @property
    def is_admin(self) -> bool:
        """Whether keys, people and the warehouse may be managed."""
        return self.token.scope == "admin"


AskerRequest: TypeAlias = Request[Identity, Any, Any]
"""A request whose ``user`` says who asks."""


class Authentication(AbstractAuthenticationMiddleware):
    """Finds out who asks, and turns away who cannot say."""

    def __init__(self, app: ASGIApp, tokens: Tokens, sessions: Sessions) -> None:
        super().__init__(app, exclude_from_auth_key=_OPEN_KEY, exclude_http_methods=())
        self._tokens = tokens
        self._sessions = sessions

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """The identity of a request.

        Raises:
            LoginWanted: neither a valid token nor a valid session.
        """
        identity = self._by_bearer(connection) or self._by_session(connection)
        if identity is None:
            raise LoginWanted
        return AuthenticationResult(user=identity, auth=identity.token)

    def _by_bearer(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Identity | None:
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self._tokens.by_secret(secret.strip())
        return Identity(token=token, person_id=token.person_id) if token else None

    def _by_session(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Identity | None:
        if "authorization" in connection.headers:  # a wrong token is refused, not covered up by a cookie
            return None
        session = self._sessions.read(connection.cookies.get(COOKIE))
        if session is None:
            return None
        token = self._tokens.by_id(session.token_id)
        if token is None:  # revoked since
            return None
        return Identity(token=token, person_id=session.person_id, session=session)


async def refuse_forgery(request: Request[Any, Any, Any], sessions: Sessions) -> None:
    """Refuse a change that another site may have made a logged-in browser send.

    A bearer token cannot be sent by another site, so requests with one need no CSRF token.

    Raises:
        Problem: 403.
    """
    identity = request.scope.get("user")
    if request.method in SAFE_METHODS or not isinstance(identity, Identity) or identity.session is None:
        return
    refuse_other_sites(request)
    token = request.headers.get(CSRF_HEADER)
    if token is None and request.content_type[0] in ("application/x-www-form-urlencoded", "multipart/form-data"):
        value = (await request.form()).get(CSRF_FIELD)
        token = value if isinstance(value, str) else None
    if not sessions.csrf_holds(identity.session, token):
        raise Problem(
            403,
            "The form was not accepted",
            because="it does not carry the token of this session, as after a new login in another window",
            instead="Go back, reload the page and send it again.",
        )


def refuse_other_sites(request: Request[Any, Any, Any]) -> None:
    """Refuse what a browser says another site sent. Programs send neither header.

    Raises:
        Problem: 403.
    """
    if fetched_by := request.headers.get("sec-fetch-site"):
        if fetched_by not in ("same-origin", "none"):
            raise _other_site(fetched_by)
        return
    # Browsers older than 2023 do not say it; but they name the origin of every form.
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise _other_site(origin)


def _other_site(named: str) -> Problem:
    return Problem(
        403,
        "The form was not accepted",
        because=f"it came from another site ({named})",
        instead="Open Recount itself and send it there. Behind a proxy, let it pass the Host header on.",
    )


def admin_only(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard of a handler for those who may manage the platform.

    Raises:
        Problem: 403.
    """
    identity: Identity = connection.user
    if not identity.is_admin:
        raise Problem(
            403,
            "This needs an admin token",
            because=f"the token {identity.token.token_id} has the scope {identity.token.scope}",
            instead="Use the admin token that `recount up` made.",
        )
