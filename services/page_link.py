"""Acknowledgement links: for one page and one person, signed and expiring, so that no login is needed at night.

A token is ``<claims>.<signature>``, both base64url without padding: the claims as a JSON array, the signature
HMAC-SHA256 (RFC 2104) over the claims' text. It says who answers what; it cannot be altered, and it opens nothing else.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from events.errors import RecountError

# Long enough for a night and the morning after; an incident that is older is acknowledged in the web.
LINK_LIFE_S = 24 * 3600
# Three ids of at most 64 characters and a time fit in a third of this; anything longer is not ours.
TOKEN_CHARS_MAX = 1_024


class PageLink(msgspec.Struct, frozen=True, array_like=True):
    """What a link allows: this person may acknowledge this incident by this page, until it expires."""

    person_id: str
    page_id: str
    incident_id: str
    expires_at: datetime


class LinkAltered(RecountError):
    """The token was not signed by this installation, or was changed or cut on its way."""

    hint = "Copy the whole link out of the message, or acknowledge the incident in the web."


class LinkExpired(RecountError):
    """The token is genuine and too old."""

    hint = "Acknowledge the incident in the web, or by `recount ack`."


_DECODER = msgspec.json.Decoder(PageLink)


def sign(link: PageLink, key: bytes) -> str:
    """The token of a link. The same link always has the same token.

    Args:
        link: its ``expires_at`` has a zone; parts of a second are dropped.
        key: the installation's secret.
    """
    whole_second = msgspec.structs.replace(link, expires_at=link.expires_at.astimezone(UTC).replace(microsecond=0))
    claims = _to_text(msgspec.json.encode(whole_second))
    return f"{claims}.{_to_text(_signature(claims, key))}"


def verify(token: str, key: bytes, now: datetime) -> PageLink:
    """What a token allows.

    Raises:
        LinkAltered: it is not a token of this key.
        LinkExpired: it is, and its time is over.
    """
    claims, _, signature = token.partition(".")
    # The signature is compared first, in constant time, so nothing that a stranger wrote is ever decoded.
    if len(token) > TOKEN_CHARS_MAX or not hmac.compare_digest(_from_text(signature), _signature(claims, key)):
        raise LinkAltered("this acknowledgement link is not genuine")
    link = _DECODER.decode(_from_text(claims))
    if now >= link.expires_at:
        raise LinkExpired(f"this acknowledgement link expired at {link.expires_at:%Y-%m-%d %H:%M} UTC")
    return link


def _signature(claims: str, key: bytes) -> bytes:
    return hmac.new(key, claims.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes:
    # A text that is not base64url gives no bytes, which equal no signature.
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
