"""Small documents from the public Internet, for what a payload asks us to fetch.

Whoever calls it has checked scheme, host and path against a list of its own. This guards what a list of names cannot:
a name that resolves into our own network, a redirect to elsewhere, an answer without end.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import httpx

# Long enough for a TLS handshake across an ocean; SNS itself waits 15 seconds for our answer.
FETCH_TIMEOUT_S = 5.0
# Bytes. A certificate is 2 KiB, the answer of SNS half of that.
DOCUMENT_BYTES_MAX = 64 * 1024
HTTPS_PORT = 443

Resolve = Callable[[str], Awaitable[list[tuple[str, int]]]]
"""Addresses and ports of a host."""


class Unreachable(Exception):
    """No document came. Trying again may help."""


class NotFetched(Exception):
    """The document is not fetched, or was refused. Trying again does not help.

    Args:
        because: why.
        status: the HTTP status, 0 when nothing was asked.
    """

    def __init__(self, because: str, status: int = 0) -> None:
        super().__init__(because)
        self.status = status


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public Internet, and not to us or to the machine's own services."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (mapped is None or is_public(str(mapped)))


async def resolve(host: str) -> list[tuple[str, int]]:
    """Addresses of a host, as the system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return [(str(address[0]), int(address[1])) for *_, address in found]


class PublicWeb:
    """Fetches by HTTPS: no redirect, no proxy, no address of our own network, a bounded answer.

    Args:
        tls: how certificates are verified; None for the public authorities.
        resolve: addresses of a host.
        is_allowed: whether an address may be called.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
        is_allowed: Callable[[str], bool] = is_public,
    ) -> None:
        self._tls = tls
        self._resolve = resolve
        self._is_allowed = is_allowed

    async def get(self, url: str) -> bytes:
        """The document at a URL.

        Args:
            url: its host and path were checked by the caller.

        Raises:
            Unreachable: no answer in time, or the other side has a trouble of its own.
            NotFetched: it leads to where we do not go, or the other side refused.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise NotFetched(f"{parts.scheme or 'no scheme'} is not https")
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                address, port = await self._address(parts.hostname)
                return await self._fetch(url, parts.hostname, address, port)
        except TimeoutError as error:
            raise Unreachable(f"{parts.hostname} did not answer within {FETCH_TIMEOUT_S:.0f} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{parts.hostname} cannot be reached: {str(error) or type(error).__name__}") from error

    async def _address(self, host: str) -> tuple[str, int]:
        found = await self._resolve(host)
        # All of them: a name with one address of ours is no public name.
        for address, _port in found:
            if not self._is_allowed(address):
                raise NotFetched(f"{host} resolves to {address}, which is not a public address")
        if not found:
            raise Unreachable(f"{host} has no address")
        return found[0]

    async def _fetch(self, url: str, host: str, address: str, port: int) -> bytes:
        # The address that was checked is the one that is called: a second look at the name could find another.
        called = httpx.URL(url).copy_with(host=address, port=port)
        headers = {"host": host, "accept-encoding": "identity"}
        async with (
            httpx.AsyncClient(
                verify=self._tls or True, trust_env=False, follow_redirects=False, timeout=FETCH_TIMEOUT_S
            ) as client,
            client.stream("GET", called, headers=headers, extensions={"sni_hostname": host}) as answer,
        ):
            if answer.is_redirect:
                raise NotFetched(f"{host} redirects elsewhere, which is not followed", answer.status_code)
            if answer.status_code >= 500 or answer.status_code == 429:
                raise Unreachable(f"{host} answered {answer.status_code}")
            if answer.status_code != 200:
                raise NotFetched(f"{host} answered {answer.status_code}", answer.status_code)
            document = bytearray()
            async for chunk in answer.aiter_raw():
                document += chunk
                if len(document) > DOCUMENT_BYTES_MAX:
                    raise NotFetched(f"{host} answered with more than {DOCUMENT_BYTES_MAX} bytes")
            return bytes(document)
