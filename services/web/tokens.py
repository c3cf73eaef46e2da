"""Access tokens: which are valid, as the log says. The log holds only their SHA-256."""

import hmac
from collections.abc import Iterable
from typing import Literal

import msgspec

from events import Recorded
from events.audit import TokenCreated, TokenRevoked
from events.subjects import split
from services.secrets import hash_secret


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A valid access token."""

    token_id: str
    scope: Literal["admin", "responder"]
    secret_sha256: str
    person_id: str = ""
    """Whose it is; an admin token without a person may act in the name of any."""


class Tokens:
    """The valid tokens, folded from ``token.*`` facts."""

    def __init__(self) -> None:
        self._valid: dict[str, Token] = {}
        self._through = 0

    def fold(self, history: Iterable[Recorded]) -> None:
        """Take facts in, in log order. One that was taken in before changes nothing."""
        for recorded in history:
            if recorded.seq <= self._through:
                continue
            self._through = recorded.seq
            _category, token_id = split(recorded.stream)
            match recorded.fact:
                case TokenCreated(scope=scope, secret_sha256=sha256, person_id=person_id):
                    self._valid[token_id] = Token(
                        token_id=token_id, scope=scope, secret_sha256=sha256, person_id=person_id
                    )
                case TokenRevoked():
                    self._valid.pop(token_id, None)

    def by_id(self, token_id: str) -> Token | None:
        """A valid token by its id."""
        return self._valid.get(token_id)

    def by_secret(self, secret: str) -> Token | None:
        """The valid token with this secret. Every token is compared, each in constant time."""
        sha256 = hash_secret(secret)
        found = None
        for token in self._valid.values():
            if hmac.compare_digest(token.secret_sha256, sha256):
                found = token
        return found
