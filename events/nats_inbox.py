"""An inbox for answers of many messages: cheaper than a task and a timer for each, as the client's own call makes."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg


class Inbox:
    """Messages sent to one reply subject, in order. Whoever asks bounds how many may come."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.subject = client.new_inbox()
        self._subscription: Any = None
        self._arrived: deque[Msg] = deque()
        self._signal = asyncio.Event()

    async def open(self) -> None:
        """Listen, before anything is asked."""
        self._subscription = await self._client.subscribe(self.subject, cb=self._on_message)

    async def next(self, timeout_s: float) -> Msg:
        """The next message.

        Raises:
            TimeoutError: none came in time.
        """
        if not self._arrived:
            self._signal.clear()
            async with asyncio.timeout(timeout_s):
                await self._signal.wait()
        return self._arrived.popleft()

    def next_arrived(self) -> Msg | None:
        """The next message if it is here already."""
        return self._arrived.popleft() if self._arrived else None

    async def close(self) -> None:
        """Stop listening."""
        # A connection that was closed meanwhile has no subscriptions left to end.
        with suppress(nats.errors.Error):
            if self._subscription is not None:
                await self._subscription.unsubscribe()

    async def _on_message(self, message: Msg) -> None:
        self._arrived.append(message)
        self._signal.set()
