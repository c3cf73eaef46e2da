"""Facts about learning: postmortems and their action items. Stream ``review.<incident_id>``."""

from typing import ClassVar, Literal

from events.fact import Fact


class ReviewDrafted(Fact, frozen=True, tag="review.drafted"):
    """A postmortem was rendered by replay, from the log up to a position."""

    headline: ClassVar[str] = "postmortem drafted from log position {made_from_seq}"
    made_from_seq: int
    document_sha256: str
    """SHA-256 of the Markdown, lower-case hex: the same position must render the same bytes."""


class ReviewPublished(Fact, frozen=True, tag="review.published"):
    """The postmortem was reviewed by people and published."""

    headline: ClassVar[str] = "postmortem published"
    made_from_seq: int
    document_sha256: str


class ActionAgreed(Fact, frozen=True, tag="review.action_agreed"):
    """Something will be done so that it is less likely, or less bad, next time."""

    headline: ClassVar[str] = "action {action_id}: {text}"
    action_id: str
    text: str
    purpose: Literal["prevent", "mitigate", "detect", "process", "other"] = "other"
    owner_id: str = ""
    due_on: str = ""
    """Calendar date, ``2026-12-01``."""


class ActionDone(Fact, frozen=True, tag="review.action_done"):
    """An agreed action was carried out, or dropped with a reason."""

    headline: ClassVar[str] = "action {action_id} is over: {reason}"
    action_id: str
    dropped: bool = False
    reason: str = ""


ReviewFact = ReviewDrafted | ReviewPublished | ActionAgreed | ActionDone
