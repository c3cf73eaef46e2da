"""What every channel speaks: a message goes out, a receipt or a failure comes back."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Protocol, TypeVar

import msgspec

from events.errors import RecountError
from events.person import Contact
from services.settings import SmtpSettings

# One channel that hangs holds at most this many threads and sends, and none of another's.
SENDS_AT_ONCE = 8

Result = TypeVar("Result")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One page in words, for one attempt."""

    id: str
    """Of this attempt, ``<page id>.<attempt>``: the Message-ID of a mail, so that a duplicate can be told."""
    subject: str
    """One line."""
    body: str
    """Plain text."""
    at: datetime


class Receipt(msgspec.Struct, frozen=True):
    """The channel took the message."""

    reference: str = ""
    """Message-ID or the provider's own key."""


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the channels are configured with."""

    smtp: SmtpSettings | None = None


class ChannelFailed(RecountError):
    """The channel did not take the message.

    Attributes:
        permanent: trying the same contact again would fail again.
        unknown: it may have taken the message all the same.
    """

    def __init__(self, message: str, *, permanent: bool = False, unknown: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unknown = unknown


class Channel(Protocol):
    """A module of `services.notifier.channels`, or a test's stand-in for one."""

    async def send(self, message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
        """Hand a message over.

        Raises:
            ChannelFailed: it was not taken, or may not have been.
        """
        ...

    def problem_with(self, contact: Contact) -> str | None:
        """Why nothing can be sent to a contact; None when it looks right."""
        ...


async def in_thread(channel: str, call: Callable[[], Result]) -> Result:
    """Run a blocking call in the threads of one channel."""
    return await asyncio.get_running_loop().run_in_executor(_threads(channel), call)


@cache
def _threads(channel: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(SENDS_AT_ONCE, thread_name_prefix=f"recount-{channel}")
