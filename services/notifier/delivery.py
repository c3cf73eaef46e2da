"""What to do next about a page: pure policy over the page's own facts.

Contacts are tried in the person's order. One that fails is tried again after a pause, a few times, then the next one
is; the last is tried longest. An attempt without a result may have arrived: it is repeated, and the message says so,
because being paged twice is better than never.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, assert_never, get_args

import msgspec

from events import Recorded
from events.page import PageAnswered, PageAttempted, PageFact, PageFailed, PageRequested, PageSent, PageWithheld
from events.person import Contact
from services.attention import Attention

# Seconds between the tries of one contact while another is left: half a minute at most, then the next has its turn.
RETRY_PAUSES_S = (5, 20)
# Between the tries of the last contact: about nine minutes in all, which outlasts the restart of a mail server.
LAST_RETRY_PAUSES_S = (5, 20, 60, 120, 300)
# An attempt that has no result after this long never will: its sender has a time-out far below it
# (`services.notifier.service.SEND_TIMEOUT_S`), so the process that made it is gone.
ATTEMPT_LOST_AFTER_S = 30


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page, folded from its stream."""

    page_id: str
    version: int = 0
    requested: PageRequested | None = None
    requested_seq: int = 0
    ending: Literal["sent", "failed", "withheld", "answered"] | None = None
    """``failed`` is of a contact, and an end only if there is no other."""
    attempts: tuple[PageAttempted, ...] = ()
    attempted_at: datetime | None = None
    """Of the last attempt."""
    open_attempt: bool = False
    """The last attempt has no result."""
    failures: tuple[PageFailed, ...] = ()
    failed_at: datetime | None = None
    """Of the last failure."""


class Send(msgspec.Struct, frozen=True):
    """Try a contact now."""

    contact: Contact
    attempt: PageAttempted


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do before then."""

    until: datetime


class Withhold(msgspec.Struct, frozen=True):
    """It must not be sent (any more), and why."""

    reason: str


class Nothing(msgspec.Struct, frozen=True):
    """The page has ended."""


Decision = Send | Wait | Withhold | Nothing


def page_of(page_id: str, history: Iterable[Recorded]) -> Page:
    """Fold the facts of one page."""
    page = Page(page_id=page_id)
    for recorded in history:
        if isinstance(recorded.fact, _FACTS):
            page = evolve(page, recorded.fact, at=recorded.happened_at, seq=recorded.seq)
    return page


def evolve(page: Page, fact: PageFact, *, at: datetime, seq: int) -> Page:
    """What one fact changes."""
    page = msgspec.structs.replace(page, version=seq)
    match fact:
        case PageRequested():
            return msgspec.structs.replace(page, requested=fact, requested_seq=seq)
        case PageWithheld():
            return msgspec.structs.replace(page, ending="withheld", open_attempt=False)
        case PageAttempted():
            return msgspec.structs.replace(page, attempts=(*page.attempts, fact), attempted_at=at, open_attempt=True)
        case PageSent():
            return msgspec.structs.replace(page, ending="sent", open_attempt=False)
        case PageFailed():
            # A result that comes so late that the next attempt has begun says nothing about that one.
            still_open = page.open_attempt and fact.attempt != page.attempts[-1].attempt
            return msgspec.structs.replace(page, failures=(*page.failures, fact), failed_at=at, open_attempt=still_open)
        case PageAnswered():
            return msgspec.structs.replace(page, ending="answered")
        case _:
            assert_never(fact)


def decide(page: Page, attention: Attention, contacts: tuple[Contact, ...], *, erased: bool, now: datetime) -> Decision:
    """What to do about a page now.

    Args:
        page: its state.
        attention: its incident, read a moment ago.
        contacts: of the person, in the order to try.
        erased: the person was erased.
        now: the present moment.
    """
    if page.requested is None or page.ending:
        return Nothing()
    if page.open_attempt and page.attempted_at and now < _lost_at(page.attempted_at):
        return Wait(_lost_at(page.attempted_at))
    if attention.silent_because:
        return Withhold(f"the incident was {_MEANWHILE[attention.silent_because]} meanwhile")
    if page.requested_seq < attention.call_seq:
        return Withhold("the incident was reopened meanwhile, and pages anew")
    if erased:
        return Withhold("the person was erased")
    if not contacts:
        return Withhold("the person has no contact")
    return _following(page, contacts, now)


def failure(
    page: Page, attempt: PageAttempted, contacts: int, error: str, *, permanent: bool, unknown: bool
) -> PageFailed:
    """The fact that an attempt failed; it is final when this contact will not be tried again."""
    return PageFailed(
        channel=attempt.channel,
        contact=attempt.contact,
        attempt=attempt.attempt,
        error=error,
        final=permanent or _tries(page, attempt.contact) > len(_pauses(attempt.contact, contacts)),
        unknown=unknown,
    )


def retry_at(page: Page, attempt: PageAttempted, contacts: int, now: datetime) -> datetime:
    """When the contact of a failed attempt is tried again."""
    pauses = _pauses(attempt.contact, contacts)
    return now + timedelta(seconds=pauses[min(_tries(page, attempt.contact), len(pauses)) - 1])


def _following(page: Page, contacts: tuple[Contact, ...], now: datetime) -> Decision:
    # A person may have fewer contacts than when the page began.
    number = min(page.attempts[-1].contact if page.attempts else 0, len(contacts) - 1)
    if page.failures and page.failed_at and not page.open_attempt:
        last = page.failures[-1]
        number = last.contact + 1 if last.final else number
        if number >= len(contacts):
            return Nothing()
        due = retry_at(page, page.attempts[-1], len(contacts), page.failed_at)
        if not last.final and now < due:
            return Wait(due)
    contact = contacts[number]
    maybe_arrived = page.open_attempt or any(failed.unknown for failed in page.failures) or _repeated(page)
    return Send(
        contact,
        PageAttempted(
            channel=contact.channel,
            contact=number,
            attempt=len(page.attempts) + 1,
            possibly_duplicate=maybe_arrived,
        ),
    )


def _repeated(page: Page) -> bool:
    return any(attempt.possibly_duplicate for attempt in page.attempts)


def _pauses(contact: int, contacts: int) -> tuple[int, ...]:
    return LAST_RETRY_PAUSES_S if contact >= contacts - 1 else RETRY_PAUSES_S


def _tries(page: Page, contact: int) -> int:
    return sum(attempt.contact == contact for attempt in page.attempts)


def _lost_at(attempted_at: datetime) -> datetime:
    return attempted_at + timedelta(seconds=ATTEMPT_LOST_AFTER_S)


_MEANWHILE = {
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "dismissed": "dismissed",
    "merged": "merged into another",
}
_FACTS = get_args(PageFact)
