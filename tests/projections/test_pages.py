"""The view ``pages``: how far each page came."""

import pytest

from events import Fact
from events.page import PageAnswered, PageAttempted, PageFailed, PageRequested, PageSent, PageWithheld
from tests.spec import BOB, given, moment, page

REQUESTED = PageRequested(
    incident_id="INC-42", person_id=BOB, run=1, round=0, level=2, answer_within_s=300, target="rotation.primary"
)
ATTEMPTED = PageAttempted(channel="smtp", contact=0, attempt=1)
SENT = PageSent(channel="smtp", contact=0, attempt=1)
FAILED = PageFailed(channel="smtp", contact=0, attempt=1, error="connection refused")
GIVEN_UP = PageFailed(channel="smtp", contact=0, attempt=3, error="connection refused", final=True)
OTHER_CONTACT = PageAttempted(channel="ntfy", contact=1, attempt=1)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((), "requested"),
        ((ATTEMPTED,), "attempted"),
        ((ATTEMPTED, FAILED), "attempted"),
        ((ATTEMPTED, GIVEN_UP), "failed"),
        ((ATTEMPTED, GIVEN_UP, OTHER_CONTACT), "attempted"),
        ((ATTEMPTED, SENT), "sent"),
        ((ATTEMPTED, SENT, PageAnswered(answer="link")), "answered"),
        ((PageWithheld(incident_id="INC-42", reason="acknowledged meanwhile"),), "withheld"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(type(fact).__name__ for fact in value),
)
def test_the_state_is_as_far_as_it_came(facts: tuple[Fact, ...], state: str):
    given(page("pg-1", REQUESTED, *facts)).view("pages").shows({"page_id": "pg-1", "state": state})


def test_a_page_shows_whom_it_asks_and_when_what_happened():
    given(
        page("pg-1", REQUESTED, at="09:00"),
        page("pg-1", ATTEMPTED, FAILED),
        page("pg-1", PageAttempted(channel="smtp", contact=0, attempt=2, possibly_duplicate=True)),
        page("pg-1", PageSent(channel="smtp", contact=0, attempt=2), at="09:10"),
        page("pg-1", PageAnswered(answer="link"), by=BOB, at="09:12"),
    ).view("pages").shows(
        {
            "incident_id": "INC-42",
            "person_id": BOB,
            "target": "rotation.primary",
            "run": 1,
            "round": 0,
            "level": 2,
            "requested_at": moment("09:00"),
            "sent_at": moment("09:10"),
            "answered_at": moment("09:12"),
            "channel": "smtp",
            "attempts": 2,
            "possibly_duplicate": True,
            "error": "connection refused",
            "withheld_reason": None,
        }
    )


def test_a_page_that_was_never_requested_says_why_not():
    withheld = PageWithheld(incident_id="INC-42", reason="nobody is on call", target="rotation.primary", run=1, level=1)
    given(page("pg-1", withheld)).view("pages").shows(
        {"state": "withheld", "withheld_reason": "nobody is on call", "person_id": None, "requested_at": None}
    )
