"""Sessions of people in a browser: a signed cookie, and a CSRF token derived from it. Nothing is kept on the server.

The cookie holds which access token opened the session and in whose name, so revoking the token ends the session.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Literal

import msgspec
from litestar.datastructures import Cookie

from services.clock import Clock

COOKIE = "recount_session"
# An on-call week is rarely longer than this; whoever holds a stolen cookie has it no longer than this either.
SESSION_TTL = timedelta(days=7)
# The longest cookie we make has about 250 characters; browsers send at most 4,096.
COOKIE_CHARS_MAX = 1_000


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the cookie says."""

    session_id: str
    token_id: str
    person_id: str
    """In whose name; empty for an admin token that named nobody."""
    expires_at: datetime


class Sessions:
    """Makes and reads session cookies.

    Args:
        key: at least 32 bytes, secret, the same in every readers process.
        clock: tells when a session has expired.
        secure: whether the cookie may travel over https only.
    """

    def __init__(self, key: bytes, clock: Clock, *, secure: bool) -> None:
        self._key = key
        self._clock = clock
        self._secure = secure

    def new(self, token_id: str, person_id: str) -> Session:
        """A session that begins now."""
        return Session(
            session_id=token_urlsafe(16),
            token_id=token_id,
            person_id=person_id,
            expires_at=self._clock.now() + SESSION_TTL,
        )

    def cookie(self, session: Session) -> Cookie:
        """The cookie of a session."""
        payload = _base64(msgspec.json.encode(session))
        return self._cookie(f"{payload}.{self._signature('session', payload)}", SESSION_TTL)

    def end(self) -> Cookie:
        """The cookie that ends a session."""
        return self._cookie("", timedelta())

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None when it is absent, altered or expired."""
        if not cookie or len(cookie) > COOKIE_CHARS_MAX or not cookie.isascii():
            return None
        payload, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature, self._signature("session", payload)):
            return None
        try:
            session = msgspec.json.decode(urlsafe_b64decode(payload), type=Session)
        except (ValueError, msgspec.DecodeError):  # signed by an older version
            return None
        return session if session.expires_at > self._clock.now() else None

    def csrf_token(self, session: Session) -> str:
        """What every form of this session must carry."""
        return self._signature("csrf", session.session_id)

    def csrf_holds(self, session: Session, token: str | None) -> bool:
        """Whether a form carried the token of this session."""
        return hmac.compare_digest((token or "").encode(), self.csrf_token(session).encode())

    def _signature(self, purpose: Literal["session", "csrf"], text: str) -> str:
        return _base64(hmac.digest(self._key, f"{purpose}:{text}".encode(), hashlib.sha256))

    def _cookie(self, value: str, age: timedelta) -> Cookie:
        return Cookie(
            key=COOKIE,
            value=value,
            max_age=int(age.total_seconds()),
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()
