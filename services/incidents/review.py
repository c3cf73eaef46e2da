"""Learning from an incident: actions that were agreed on, and what became of them. Pure."""

from collections.abc import Container, Iterable
from typing import assert_never

import msgspec
from msgspec.structs import replace

from events import Event
from events.review import ActionAgreed, ActionDone, ReviewPublished
from services.incidents.circumstances import Circumstances
from services.incidents.commands import AgreeAction, FinishAction, PublishReview, ReviewCommand


class Review(msgspec.Struct, frozen=True):
    """What is known of the review of one incident."""

    owners: dict[str, str] = {}
    """Who owns each action that was agreed on, empty when nobody does; by its id, in order."""
    finished: frozenset[str] = frozenset()
    published_sha256: str = ""
    """Of the document that was published last; empty when none was."""
    answered: frozenset[str] = frozenset()
    """Ids of the orders that were answered here."""

    @property
    def published(self) -> bool:
        """Whether a document was published."""
        return bool(self.published_sha256)

    @property
    def unowned_actions(self) -> tuple[str, ...]:
        """Open actions that nobody owns."""
        return tuple(action for action, owner in self.owners.items() if not owner and action not in self.finished)


def fold_review(events: Iterable[Event], retracted: Container[str] = ()) -> Review:
    """The review after some events.

    Args:
        events: its history.
        retracted: ids of events that were taken back. An action that was is no longer open; its number stays taken.
    """
    review = Review()
    for event in events:
        review = replace(review, answered=review.answered | {event.causation_id})
        match event.fact:
            case ActionAgreed(action_id=action) if event.id in retracted:
                review = replace(review, owners={**review.owners, action: ""}, finished=review.finished | {action})
            case _ if event.id in retracted:
                pass
            case ActionAgreed(action_id=action, owner_id=owner):
                review = replace(review, owners={**review.owners, action: owner})
            case ActionDone(action_id=action):
                review = replace(review, finished=review.finished | {action})
            case ReviewPublished(document_sha256=document):
                review = replace(review, published_sha256=document)
            case _:
                pass
    return review


def decide_review(
    review: Review, command: ReviewCommand, about: Circumstances
) -> tuple[ActionAgreed | ActionDone | ReviewPublished, ...]:
    """The facts that an order about the review leads to.

    Raises:
        CommandRefused: there is no such action, or it is dropped without a reason.
    """
    match command:
        case AgreeAction():
            return (
                ActionAgreed(
                    action_id=f"A{len(review.owners) + 1}",
                    text=command.text,
                    purpose=command.purpose,
                    owner_id=command.owner_id,
                    due_on=command.due_on.isoformat() if command.due_on else "",
                ),
            )
        case FinishAction(action_id=action, dropped=dropped, reason=reason):
            asked = f"{'drop' if dropped else 'finish'} action {action} of"
            if action not in review.owners:
                known = ", ".join(review.owners) or "none"
                raise about.refused(
                    asked, because="it was never agreed on", instead=f"agreed actions: {known}", code="not_found"
                )
            if action in review.finished:
                return ()
            if dropped and not reason:
                raise about.refused(
                    asked, because="`$.reason` is missing", instead="say why it is dropped", code="invalid"
                )
            return (ActionDone(action_id=action, dropped=dropped, reason=reason),)
        case PublishReview(made_from_seq=position, document_sha256=document):
            if document == review.published_sha256:
                return ()
            return (ReviewPublished(made_from_seq=position, document_sha256=document),)
        case _:
            assert_never(command)
