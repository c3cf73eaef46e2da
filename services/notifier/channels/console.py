"""Contacts ``console:``: the page is written to the log of the process. For a first try, and for the demo."""

import sys

from events.person import Contact
from services.notifier.channel import ChannelSettings, Message, Receipt

SCHEMES = ("console",)


async def send(message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
    """Write the message to the standard error stream."""
    sys.stderr.write(f"── {message.subject}\n{message.body}\n")
    sys.stderr.flush()
    return Receipt(message.id)


def problem_with(contact: Contact) -> str | None:
    """There is only one console, so there is no address."""
    return "a console has no address; write console:" if contact.address else None
