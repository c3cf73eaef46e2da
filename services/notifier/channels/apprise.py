"""Contacts that are Apprise URLs, such as ``slack://token_a/token_b/token_c/#incidents``.

Only some of Apprise's services may be used. Whoever may write a contact could otherwise have this process call any
address inside the network (server-side request forgery), so the services here are those whose own hosts are fixed.
`SCHEMES_ON_REQUEST` go to a host of the contact's choosing, and only work when the operator allows them by name.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import apprise
from apprise.result import AppriseResultStatus

from events.person import Contact
from services.notifier.channel import ChannelFailed, ChannelSettings, Message, Receipt, in_thread

SCHEMES = (
    *("discord", "slack", "wxteams", "zulip", "line", "tgram"),
    *("pover", "pbul", "prowl", "spush", "fcm"),
    *("twilio", "vonage", "clicksend", "d7sms", "msgbird", "sinch"),
    *("pagerduty", "opsgenie", "signl4", "spike", "victorops", "splunk"),
)
SCHEMES_ON_REQUEST = (
    "json",
    "jsons",
    "form",
    "forms",
    "ntfy",
    "ntfys",
    "gotify",
    "gotifys",
    "matrix",
    "matrixs",
    "mmost",
)

# Apprise describes what it does, addresses and all.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


async def send(message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
    """Hand the message to the service of the URL. See `Channel.send`."""
    target = apprise.Apprise()
    if not target.add(contact.address):
        raise ChannelFailed(f"Apprise cannot use this {contact.channel} URL", permanent=True)
    result: Any = await in_thread(
        contact.channel,
        lambda: target.notify(
            title=message.subject,
            body=message.body,
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.FAILURE,
        ),
    )
    if result:
        return Receipt(message.id)
    raise ChannelFailed(
        f"{contact.channel} did not take the message ({result.status.name.lower()})",
        unknown=result.status == AppriseResultStatus.TIMEOUT,
    )


def problem_with(address: str) -> str | None:
    """See `Channel.problem_with`."""
    try:
        scheme = urlsplit(address).scheme
    except ValueError:
        scheme = ""
    if "://" not in address or scheme not in (*SCHEMES, *SCHEMES_ON_REQUEST):
        return "expected a whole Apprise URL such as slack://token_a/token_b/token_c"
    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is None:
        return f"Apprise does not accept this {scheme} URL"
    return None
