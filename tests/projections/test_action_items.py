"""The view ``action_items``: what was agreed, and what became of it."""

from datetime import date

from events.review import ActionAgreed, ActionDone
from tests.spec import ADA, given, moment, stream


def test_an_item_is_open_until_it_is_done_or_dropped():
    given(
        stream(
            "review.INC-42",
            ActionAgreed(action_id="act-1", text="alert earlier", purpose="detect", owner_id=ADA, due_on="2026-02-01"),
            at="09:00",
        ),
        stream(
            "review.INC-42", ActionAgreed(action_id="act-2", text="drill"), ActionAgreed(action_id="act-3", text="x")
        ),
        stream("review.INC-42", ActionDone(action_id="act-2"), at="09:30"),
        stream("review.INC-42", ActionDone(action_id="act-3", dropped=True, reason="not worth it"), at="09:40"),
    ).view("action_items").shows(
        {
            "action_id": "act-1",
            "text": "alert earlier",
            "purpose": "detect",
            "owner_id": ADA,
            "due_on": date(2026, 2, 1),
            "state": "open",
            "done_at": None,
        },
        {"action_id": "act-2", "text": "drill", "purpose": "other", "state": "done", "done_at": moment("09:30")},
        {"action_id": "act-3", "text": "x", "purpose": "other", "state": "dropped", "done_at": moment("09:40")},
    )
