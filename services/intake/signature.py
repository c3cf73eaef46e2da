"""Signatures of senders over their requests. Pure: what a check needs beside the request comes in as a `Proof`.

A check sees the body as it was sent, before it is parsed and before a key is taken out of it.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

# Seconds between a signature and its arrival: what most senders advise. Later it is somebody who kept the request.
AGE_S_MAX = 300


class Forged(Exception):
    """The signature is missing or does not fit the request."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature is checked against."""

    now: datetime
    secret: str = ""
    """The secret that the sender signs with and that was told to us; empty when it signs with a certificate."""
    certificate: bytes = b""
    """PEM of the certificate at the signature's `certificate_url`."""


Check = Callable[[Mapping[str, str], bytes, Proof], None]
"""Headers (names in lower case), body and proof. Raises `Forged` when they do not belong together."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """How a sender signs its requests."""

    check: Check
    certificate_url: Callable[[bytes], str] | None = None
    """Where the certificate lies that a body was signed with; None for a sender that signs with a secret. Raises
    `Forged` for any place that is not the sender's own. Such a sender signs always, the others when they were told a
    secret."""

    @property
    def needs_secret(self) -> bool:
        """Whether a secret must be told to both sides."""
        return self.certificate_url is None


def hmac_sha256(header: str, *, prefix: str = "", timestamp_header: str = "") -> Signature:
    """A signature that is the HMAC-SHA-256 of the body in hexadecimal, as most senders have it.

    Args:
        header: that it comes in, in lower case.
        prefix: before the digits, such as ``sha256=`` of GitHub.
        timestamp_header: that may come too, in lower case: then ``<seconds>:<body>`` is signed, and must be fresh.
    """

    def check(headers: Mapping[str, str], body: bytes, proof: Proof) -> None:
        given = headers.get(header, "").strip()
        if not given:
            raise Forged(f"the request is not signed: it has no header {header}")
        timestamp = headers.get(timestamp_header, "").strip() if timestamp_header else ""
        signed = f"{timestamp}:".encode() + body if timestamp else body
        wanted = prefix + hmac.new(proof.secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(given.lower().encode(), wanted.encode()):
            raise Forged(f"the signature in {header} does not fit the body and the signing secret of this key")
        if timestamp and not _is_fresh(timestamp, proof.now):
            raise Forged(
                f"{timestamp_header} is not within {AGE_S_MAX} s of now: the request was kept, or a clock is wrong"
            )

    return Signature(check=check)


def _is_fresh(timestamp: str, now: datetime) -> bool:
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    return is_number and abs(now.timestamp() - int(timestamp)) <= AGE_S_MAX
