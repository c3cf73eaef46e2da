"""The channels, one file each, found by being here.

A channel is a module with ``SCHEMES``, the names that a contact may begin with, and the two functions of
`services.notifier.channel.Channel`. To add one, add a file. ``SCHEMES_ON_REQUEST`` are those that an operator must
allow.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import cast

from events.errors import RecountError
from events.person import Contact
from services.notifier.channel import Channel


class UnknownChannel(RecountError):
    """A contact begins with a scheme that no channel serves."""


class UnusableContact(RecountError):
    """A contact has a known scheme and an address that its channel cannot use."""


@cache
def find_channels(allowed: frozenset[str] = frozenset()) -> Mapping[str, Channel]:
    """Every channel by each scheme that it serves.

    Args:
        allowed: which of the schemes that channels serve only on request (``SCHEMES_ON_REQUEST``) may be used.

    Raises:
        UnknownChannel: no channel serves an allowed scheme.
    """
    found: dict[str, Channel] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        channel = importlib.import_module(f"{__name__}.{module.name}")
        on_request = allowed.intersection(getattr(channel, "SCHEMES_ON_REQUEST", ()))
        found |= dict.fromkeys((*channel.SCHEMES, *on_request), cast(Channel, channel))
    if unknown := sorted(allowed - found.keys()):
        raise UnknownChannel(
            f"channels.allow names {unknown[0]!r}, which no channel serves", hint="see docs/operating.md"
        )
    return MappingProxyType(found)


class ContactRules:
    """Says which contacts can be used, before somebody must be reached at night.

    Args:
        channels: by scheme; every channel there is when left out.
    """

    def __init__(self, channels: Mapping[str, Channel] | None = None) -> None:
        self._channels = channels

    def require_usable(self, contact: Contact) -> None:
        """Accept a contact, or say what is wrong with it.

        Raises:
            UnknownChannel: no channel serves its scheme.
            UnusableContact: its channel cannot use the address.
        """
        channels = find_channels() if self._channels is None else self._channels
        channel = channels.get(contact.channel)
        if channel is None:
            raise UnknownChannel(
                f"no channel serves contacts {contact.channel}:",
                hint=f"use one of: {', '.join(sorted(channels))}",
            )
        if problem := channel.problem_with(contact):
            raise UnusableContact(
                f"a contact {contact.channel}: cannot be used: {problem}",
                hint="docs/operating.md, 'Channels', shows one of each kind.",
            )
