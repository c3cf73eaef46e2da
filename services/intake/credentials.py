"""The integration key in a request: where it is found, and how it is taken out before anything is stored."""

import re
from base64 import b64decode
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode

import msgspec

from services.intake.adapters import Adapter, Request
from services.intake.keys import Key

FORM = "application/x-www-form-urlencoded"

_DELIMITERS = re.compile(r"([/?&=;])")


def presented_secret(adapter: Adapter, in_path: str, request: Request) -> str:
    """The secret that a request brings, empty when there is none.

    Where its sender puts it by its own API comes first, then the path, ``Authorization: Bearer`` and the password of
    basic authentication, then anything else that the adapter knows.
    """
    return (
        adapter.secret_in_body(request.body)
        or in_path
        or _authorized(request.headers.get("authorization", ""))
        or adapter.secret_in_request(request)
    )


def _authorized(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _password(credentials.strip())
        case _:
            return ""


def _password(credentials: str) -> str:
    try:
        user, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return ""
    # Where only a user name can be set, it is the key.
    return password or user


def text_without(secret: str, key: Key, text: str) -> str:
    """A header with the key's id where the secret was."""
    return text.replace(secret, key.key_id) if secret and secret in text else text


def address_without(secret: str, key: Key, address: str) -> str:
    """A percent-encoded path and query with the key's id where the secret was, however it was encoded."""
    if not secret or secret not in unquote_plus(address):
        return address
    parts = _DELIMITERS.split(address)
    without = "".join(
        quote(unquote(part).replace(secret, key.key_id), safe="") if secret in unquote(part) else part for part in parts
    )
    # A secret with delimiters or with "+" for a space spans parts; nothing of the address is worth keeping it.
    return without if secret not in unquote_plus(without) else ""


def body_without(adapter: Adapter, secret: str, key: Key, content_type: str, body: bytes) -> bytes:
    """A body with the key's id where the secret was."""
    plain = secret.encode()
    if plain in body:
        body = body.replace(plain, key.key_id.encode())
    if content_type.startswith(FORM) and plain in unquote_plus(body.decode("latin-1")).encode("latin-1", "replace"):
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
        return urlencode([(name, value.replace(secret, key.key_id)) for name, value in pairs]).encode()
    if adapter.secret_in_body(body) == secret:
        # Written with JSON escapes. The meaning is kept, the bytes cannot be.
        event = msgspec.json.decode(body)
        body = msgspec.json.encode({name: key.key_id if value == secret else value for name, value in event.items()})
    return body
