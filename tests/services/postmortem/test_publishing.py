"""A postmortem that people have read is published, and then its incident can be closed."""

from datetime import UTC, datetime

from events import Event
from events.review import ReviewPublished
from services.incidents.circumstances import Circumstances
from services.incidents.commands import PublishReview
from services.incidents.review import Review, decide_review, fold_review
from tests.spec import ADA

DOCUMENT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NOW = datetime(2026, 3, 1, 14, tzinfo=UTC)
ABOUT = Circumstances(incident_id="INC-42", actor=ADA, happened_at=NOW, now=NOW)
PUBLISH = PublishReview(made_from_seq=1042, document_sha256=DOCUMENT)
PUBLISHED = ReviewPublished(made_from_seq=1042, document_sha256=DOCUMENT)


def after(*facts: ReviewPublished) -> Review:
    return fold_review(
        Event(id=f"event-{number}", fact=fact, happened_at=NOW, source="recount/incidents")
        for number, fact in enumerate(facts)
    )


def test_publishing_says_which_document_from_which_position():
    assert decide_review(Review(), PUBLISH, ABOUT) == (PUBLISHED,)
    assert not Review().published


def test_publishing_the_same_document_again_says_nothing():
    assert after(PUBLISHED).published
    assert decide_review(after(PUBLISHED), PUBLISH, ABOUT) == ()


def test_a_later_document_is_published_too():
    later = PublishReview(made_from_seq=1099, document_sha256="0" * 64)
    [fact] = decide_review(after(PUBLISHED), later, ABOUT)
    assert fact == ReviewPublished(made_from_seq=1099, document_sha256="0" * 64)
