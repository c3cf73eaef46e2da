"""SCRAM-SHA-256 (RFC 5802, RFC 7677) as a server: one login.

Channel binding is not offered. A user who does not exist is asked in the same way and refused at the same step
(`services.sql_users.stand_in`).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

from services.sql_users import Verifier, hmac_sha256

MECHANISM = "SCRAM-SHA-256"
NONCE_BYTES = 18


class LoginFailed(Exception):
    """A login that is refused: a wrong password, an unknown user, or no SCRAM."""


class ScramServer:
    """One login.

    Args:
        verifier: of the user who asks.
        nonce: our part of the nonce; random when left out.
    """

    def __init__(self, verifier: Verifier, *, nonce: str = "") -> None:
        self._verifier = verifier
        self._nonce = nonce or base64.b64encode(secrets.token_bytes(NONCE_BYTES)).decode()
        self._header = ""
        self._client_first = ""
        self._server_first = ""

    def first(self, client_first: bytes) -> bytes:
        """Answer the client's first message.

        Raises:
            LoginFailed: it is none, or wants channel binding.
        """
        header, bare = _split_first(_decoded(client_first))
        nonce = _attributes(bare).get("r", "")
        if not nonce or not nonce.isprintable():
            raise LoginFailed("the first message has no nonce")
        self._header, self._client_first = header, bare
        self._nonce = nonce + self._nonce
        salt = base64.b64encode(self._verifier.salt).decode()
        self._server_first = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        return self._server_first.encode()

    def final(self, client_final: bytes) -> bytes:
        """Check the client's proof and give ours.

        Raises:
            LoginFailed: the password is wrong, or the message is none.
        """
        text = _decoded(client_final)
        without_proof, mark, proof = text.rpartition(",p=")
        given = _attributes(without_proof)
        binding = base64.b64encode(self._header.encode()).decode()
        if not mark or given.get("r") != self._nonce or given.get("c") != binding:
            raise LoginFailed("the final message does not belong to the first")
        told = ",".join((self._client_first, self._server_first, without_proof)).encode()
        signature = hmac_sha256(self._verifier.stored_key, told)
        try:
            client_key = _xor(signature, base64.b64decode(proof, validate=True))
        except (ValueError, binascii.Error) as error:
            raise LoginFailed("the proof is not base64 of 32 bytes") from error
        if not hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key):
            raise LoginFailed("the password is wrong")
        return b"v=" + base64.b64encode(hmac_sha256(self._verifier.server_key, told))


def _split_first(text: str) -> tuple[str, str]:
    """The header with its comma, and the rest: ``n,,`` and ``n=user,r=nonce``."""
    flag, comma, rest = text.partition(",")
    authzid, second, bare = rest.partition(",")
    # "y": the client could bind to the channel and thinks that we cannot, which is so.
    if flag not in ("n", "y") or authzid or not (comma and second):
        raise LoginFailed("channel binding and other identities are not taken")
    return f"{flag},,", bare


def _attributes(text: str) -> dict[str, str]:
    return {part[:1]: part[2:] for part in text.split(",") if part[1:2] == "="}


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise LoginFailed("the message is not UTF-8") from error


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise ValueError("of different length")
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
