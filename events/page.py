"""Facts about pages: one person asked to answer for one incident at one level.

Stream ``page.<page_id>``. Sending is at least once and says so: *attempted* is on disk before anything leaves, *sent*
or *failed* after. An attempt without a result is repeated, marked as a possible duplicate.
"""

from typing import ClassVar

from events.fact import Fact


class PageRequested(Fact, frozen=True, tag="page.requested"):
    """A person must be reached."""

    headline: ClassVar[str] = "paging {person_id}, answer within {answer_within_s} s"
    incident_id: str
    person_id: str
    run: int
    round: int
    level: int
    answer_within_s: int
    target: str
    """Why this person: ``rotation.<id>`` or ``person.<id>``."""


class PageWithheld(Fact, frozen=True, tag="page.withheld"):
    """A page that would have been sent and was not, and why."""

    headline: ClassVar[str] = "page withheld: {reason}"
    incident_id: str
    reason: str
    """In words: nobody is on call, the person has no channel, the incident was acknowledged meanwhile."""
    person_id: str = ""
    target: str = ""
    run: int = 0
    level: int = 0


class PageAttempted(Fact, frozen=True, tag="page.attempted"):
    """A message is about to leave through a channel."""

    headline: ClassVar[str] = "sending by {channel}, attempt {attempt}"
    channel: str
    """Scheme of the channel: ``smtp``, ``console``, ``ntfy``. Never the address."""
    contact: int
    """Which of the person's contacts, from 0."""
    attempt: int
    possibly_duplicate: bool = False
    """An earlier attempt ended without a result, so the message may already have arrived."""


class PageSent(Fact, frozen=True, tag="page.sent"):
    """The channel took the message."""

    headline: ClassVar[str] = "sent by {channel}"
    channel: str
    contact: int
    attempt: int
    provider_reference: str = ""
    """Message-ID or the provider's own key."""


class PageFailed(Fact, frozen=True, tag="page.failed"):
    """An attempt did not succeed; when it was the last, the page has failed on this contact."""

    headline: ClassVar[str] = "{channel} failed: {error}"
    channel: str
    contact: int
    attempt: int
    error: str
    final: bool = False
    unknown: bool = False
    """The channel did not answer in time, so the message may have arrived all the same."""


class PageAnswered(Fact, frozen=True, tag="page.answered"):
    """The person answered this page."""

    headline: ClassVar[str] = "{actor} answered by {answer}"
    answer: str
    """How: ``link``, ``web``, ``cli``."""


PageFact = PageRequested | PageWithheld | PageAttempted | PageSent | PageFailed | PageAnswered
