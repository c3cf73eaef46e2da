"""Contacts that are Apprise URLs, such as ``slack://token_a/token_b/token_c/#incidents``.

Only some of Apprise's services may be used. Whoever may write a contact could otherwise have this process call any
address inside the network (server-side request forgery), so `SCHEMES` are those whose own hosts are fixed.
`SCHEMES_ON_REQUEST` go to a host of the contact's choosing, and only work when the operator allows them by name.

Each service is loaded by itself when it is first needed: Apprise's own loading of all of them takes seconds, and tens
of megabytes, in the middle of a first page.
"""

import importlib
import logging
from typing import Any

from apprise import NotifyType
from apprise.conversion import convert_between

from events.person import Contact
from services.notifier.channel import ChannelFailed, ChannelSettings, Message, Receipt, in_thread

_FIXED_HOSTS = {
    "clicksend": "clicksend.NotifyClickSend",
    "d7sms": "d7networks.NotifyD7Networks",
    "discord": "discord.NotifyDiscord",
    "fcm": "fcm.NotifyFCM",
    "line": "line.NotifyLine",
    "msgbird": "messagebird.NotifyMessageBird",
    "opsgenie": "opsgenie.NotifyOpsgenie",
    "pagerduty": "pagerduty.NotifyPagerDuty",
    "pbul": "pushbullet.NotifyPushBullet",
    "pover": "pushover.NotifyPushover",
    "prowl": "prowl.NotifyProwl",
    "signl4": "signl4.NotifySIGNL4",
    "sinch": "sinch.NotifySinch",
    "slack": "slack.NotifySlack",
    "spike": "spike.NotifySpike",
    "spush": "simplepush.NotifySimplePush",
    "tgram": "telegram.NotifyTelegram",
    "twilio": "twilio.NotifyTwilio",
    "victorops": "splunk.NotifySplunk",
    "vonage": "vonage.NotifyVonage",
    "wxteams": "webexteams.NotifyWebexTeams",
    "zulip": "zulip.NotifyZulip",
}
_FREE_HOSTS = {
    "form": "custom_form.NotifyForm",
    "forms": "custom_form.NotifyForm",
    "gotify": "gotify.NotifyGotify",
    "gotifys": "gotify.NotifyGotify",
    "json": "custom_json.NotifyJSON",
    "jsons": "custom_json.NotifyJSON",
    "matrix": "matrix.NotifyMatrix",
    "matrixs": "matrix.NotifyMatrix",
    "mmost": "mattermost.NotifyMattermost",
    "mmosts": "mattermost.NotifyMattermost",
    "ntfy": "ntfy.NotifyNtfy",
    "ntfys": "ntfy.NotifyNtfy",
}
_SERVICES = _FIXED_HOSTS | _FREE_HOSTS

SCHEMES = tuple(_FIXED_HOSTS)
SCHEMES_ON_REQUEST = tuple(_FREE_HOSTS)

# Apprise describes what it does, addresses and all.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


async def send(message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
    """Hand the message to the service of the URL. See `Channel.send`."""
    if not await in_thread(contact.channel, lambda: _notify(message, contact)):
        # Apprise tells its log and nobody else what went wrong; a request that timed out looks like a refusal.
        raise ChannelFailed(f"{contact.channel} did not take the message", unknown=True)
    return Receipt(message.id)


def problem_with(contact: Contact) -> str | None:
    """See `Channel.problem_with`."""
    if not contact.address.startswith(f"{contact.channel}://"):
        return f"expected a whole Apprise URL, {contact.channel}://…"
    if _service(contact) is None:
        return f"Apprise does not accept this {contact.channel} URL"
    return None


def service_class(scheme: str) -> Any:
    """Apprise's class for one of our schemes."""
    module, _, name = _SERVICES[scheme].partition(".")
    return getattr(importlib.import_module(f"apprise.plugins.{module}"), name)


def _notify(message: Message, contact: Contact) -> bool:
    service = _service(contact)
    if service is None:
        raise ChannelFailed(f"Apprise does not accept this {contact.channel} URL", permanent=True)
    # Apprise has no annotations for this one.
    body = convert_between("text", service.notify_format, message.body)  # type: ignore[no-untyped-call]
    return bool(service.notify(body=body, title=message.subject, notify_type=NotifyType.FAILURE))


def _service(contact: Contact) -> Any:
    """The service of a URL; None when it makes no sense to it. The scheme alone decides which one it is."""
    if not contact.address.startswith(f"{contact.channel}://"):
        return None
    kind = service_class(contact.channel)
    try:
        parsed = kind.parse_url(contact.address)
        return kind(**parsed) if parsed else None
    except (TypeError, ValueError):  # how a service says that a part of its URL is missing
        return None
