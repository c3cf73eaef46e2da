"""A page in words: as little as a person needs who was asleep a moment ago."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from events.page import PageAttempted, PageRequested
from services.attention import Attention
from services.notifier.channel import Message

# RFC 5322 section 2.1.1 asks for lines of at most 78 characters, and a lock screen shows about as many.
SUBJECT_TITLE_CHARS_MAX = 120


class Links(msgspec.Struct, frozen=True):
    """Where a message leads."""

    acknowledge: str
    incident: str


def message_for(
    page_id: str,
    requested: PageRequested,
    attempt: PageAttempted,
    attention: Attention,
    links: Links,
    *,
    zone: str,
    now: datetime,
) -> Message:
    """The message of one attempt.

    Args:
        page_id: which page.
        requested: why this person is paged.
        attempt: what is about to leave.
        attention: the incident, as it is now.
        links: signed for this page and person.
        zone: the reader's time zone.
        now: goes into the message as its date.
    """
    title = _one_line(attention.title)
    service = _one_line(attention.service)
    lines = [
        f"{attention.severity.upper()}  {requested.incident_id}  {title}",
        "",
        *([f"Service:  {service}"] if service else []),
        *([f"Since:    {_when(attention.began_at, zone)}"] if attention.began_at else []),
        f"Level:    {requested.level}, as {requested.target.partition('.')[2]}"
        if requested.target.startswith("rotation.")
        else f"Level:    {requested.level}",
        f"Answer:   within {_span(requested.answer_within_s)}, or the next level is asked",
        "",
        "Acknowledge (opens a page with one button):",
        links.acknowledge,
        "",
        "The incident:",
        links.incident,
        "",
        f"Page {page_id}, attempt {attempt.attempt}",
    ]
    if attempt.possibly_duplicate:
        lines.append("This may be a duplicate: an earlier attempt may have reached you.")
    shown = title if len(title) <= SUBJECT_TITLE_CHARS_MAX else f"{title[: SUBJECT_TITLE_CHARS_MAX - 1]}…"
    return Message(
        id=f"{page_id}.{attempt.attempt}",
        subject=f"[{attention.severity}] {requested.incident_id}: {shown}",
        body="\n".join(lines) + "\n",
        at=now,
    )


def _one_line(text: str) -> str:
    # A sender's title could otherwise add lines to a mail's header.
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _when(moment: datetime, zone: str) -> str:
    utc = f"{moment:%Y-%m-%d %H:%M} UTC"
    if zone in ("", "UTC"):
        return utc
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone} ({moment:%H:%M} UTC)"


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min" if minutes and not rest else f"{seconds} s"
