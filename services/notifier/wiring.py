"""Puts the notifier to work in a process."""

from datetime import datetime, timedelta

from events.page import PageRequested
from services.broker import attach
from services.context import Context
from services.directory import Directory
from services.notifier.channel import ChannelSettings
from services.notifier.channels import find_channels
from services.notifier.message import Links
from services.notifier.service import LinksFor, Notifier
from services.page_link import LINK_LIFE_S, PageLink, sign


async def attach_notifier(context: Context) -> Notifier:
    """Have a process run the notifier. Call it before the broker starts; stop what it returns when the process ends."""
    notifier = Notifier(
        context.log,
        context.timers,
        context.clock,
        Directory(context.log, context.keyring),
        channels=find_channels(frozenset(context.settings.channels.allow)),
        settings=ChannelSettings(smtp=context.settings.smtp),
        links=signed_links(context.settings.public_url, bytes.fromhex(context.secrets.page_link_key)),
    )
    await attach(context.broker, context.client, context.log, notifier)
    return notifier


def signed_links(public_url: str, key: bytes) -> LinksFor:
    """Makes the links of messages: ``<public_url>/ack/<token>`` and ``<public_url>/incidents/<id>``."""

    def links(page_id: str, requested: PageRequested, now: datetime) -> Links:
        token = sign(
            PageLink(requested.person_id, page_id, requested.incident_id, now + timedelta(seconds=LINK_LIFE_S)), key
        )
        return Links(f"{public_url}/ack/{token}", f"{public_url}/incidents/{requested.incident_id}")

    return links
