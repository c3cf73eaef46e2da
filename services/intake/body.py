"""The body of a request: read within its limits of bytes and time, and unpacked."""

import asyncio
import zlib
from typing import Any

from litestar.types import Receive

from services.intake.turned import Hangup, Turned

# Bytes of a body that is too large which are read and forgotten, because a sender that is still writing when the
# connection closes never sees the 413, and tries again.
DRAIN_BYTES_MAX = 16 * 1024 * 1024
# A body that takes longer to arrive holds a connection, not an alert; senders give up after 10 to 30 seconds.
BODY_TIMEOUT_S = 30.0
# What zlib calls a gzip member of any window.
_GZIP = 31


async def read_body(receive: Receive, headers: dict[str, str], limit: int) -> bytes:
    """The whole body, unpacked.

    Args:
        receive: gives its parts.
        headers: of the request.
        limit: bytes, packed and unpacked.

    Raises:
        Turned: it is too large, too slow, or packed in a way that is not understood.
        Hangup: the sender is gone.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Turned(415, f"bodies packed with {encoding[:40]} are not understood", accept_encoding="gzip, identity")
    body = await _received(receive, headers, limit)
    return _unpacked(body, limit) if encoding.endswith("gzip") else body


async def _received(receive: Receive, headers: dict[str, str], limit: int) -> bytes:
    length = headers.get("content-length", "0")
    is_too_large = length.isdecimal() and int(length[:20]) > limit
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message: Any = await receive()
                if message["type"] == "http.disconnect":
                    raise Hangup
                chunk: bytes = message.get("body", b"")
                size += len(chunk)
                is_too_large = is_too_large or size > limit
                if not is_too_large:
                    chunks.append(chunk)
                is_whole = not message.get("more_body", False)
                if is_too_large and (is_whole or size > limit + DRAIN_BYTES_MAX):
                    raise Turned(413, f"the body exceeds {limit} bytes", connection="close")
                if is_whole:
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        raise Turned(408, f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s", connection="close") from None


def _unpacked(body: bytes, limit: int) -> bytes:
    """What a gzip body holds. Never more than the limit is unpacked, however much was promised."""
    unpacked = b""
    while body:
        member = zlib.decompressobj(_GZIP)
        try:
            unpacked += member.decompress(body, limit + 1 - len(unpacked))
        except zlib.error as error:
            raise Turned(400, f"the body says that it is gzip and is not: {error}") from None
        if len(unpacked) > limit:
            raise Turned(413, f"the body exceeds {limit} bytes once it is unpacked")
        if not member.eof:
            raise Turned(400, "the gzip body ends too early")
        body = member.unused_data
    return unpacked
