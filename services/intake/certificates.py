"""Certificates that senders sign with: fetched once, then remembered."""

import asyncio
from collections import OrderedDict

from services.intake.public_web import PublicWeb

# SNS has one certificate a region and changes it about once a year.
CERTIFICATES_MAX = 64
# Fetches at the same time. There is rarely more than one; whoever has a key and makes up addresses waits in line.
FETCHES_AT_ONCE = 4


class Certificates:
    """Certificates by the URL that they lie at.

    Args:
        web: where they come from.
    """

    def __init__(self, web: PublicWeb) -> None:
        self._web = web
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._coming: dict[str, asyncio.Task[bytes]] = {}
        self._slots = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def get(self, url: str) -> bytes:
        """The certificate at a URL that was checked to be the sender's own. Those who wait for one share a fetch.

        Raises:
            Unreachable: it did not come; the sender may try again.
            NotFetched: there is none to be had.
        """
        if url in self._known:
            self._known.move_to_end(url)
            return self._known[url]
        if url not in self._coming:
            self._coming[url] = asyncio.get_running_loop().create_task(self._fetch(url))
        # Shielded, because others wait for the same fetch.
        return await asyncio.shield(self._coming[url])

    async def _fetch(self, url: str) -> bytes:
        try:
            async with self._slots:
                certificate = await self._web.get(url)
        finally:
            del self._coming[url]
        self._known[url] = certificate
        if len(self._known) > CERTIFICATES_MAX:
            self._known.popitem(last=False)
        return certificate
