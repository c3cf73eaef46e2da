"""What to do next about a page: pure policy, told as histories."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from events import Event, Recorded
from events.page import PageAnswered, PageAttempted, PageFact, PageFailed, PageRequested, PageSent, PageWithheld
from events.person import Contact
from services.attention import Attention
from services.notifier.delivery import (
    ATTEMPT_LOST_AFTER_S,
    LAST_RETRY_PAUSES_S,
    RETRY_PAUSES_S,
    Nothing,
    Page,
    Send,
    Wait,
    Withhold,
    decide,
    failure,
    page_of,
    retry_at,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REQUESTED = PageRequested(
    incident_id="INC-42", person_id="per-ada", run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
)
MAIL, PAGER = Contact(channel="smtp", address="ada@example.org"), Contact(channel="pager", address="ada")
CALLING = Attention(version=1, call_seq=1, severity="sev1", title="checkout is down")


def page(*facts: PageFact) -> Page:
    """A page that was requested at position 2, with one more fact a second."""
    return page_of(
        "pg-1",
        [
            Recorded(
                seq=seq,
                stream="page.pg-1",
                recorded_at=NOON,
                event=Event(id=str(seq), fact=fact, happened_at=NOON + timedelta(seconds=seq - 2), source="t"),
            )
            for seq, fact in enumerate((REQUESTED, *facts), start=2)
        ],
    )


def attempted(contact: int = 0, attempt: int = 1, *, again: bool = False) -> PageAttempted:
    channel = ("smtp", "pager")[contact]
    return PageAttempted(channel=channel, contact=contact, attempt=attempt, possibly_duplicate=again)


def failed(contact: int = 0, attempt: int = 1, *, final: bool = False, unknown: bool = False) -> PageFailed:
    channel = ("smtp", "pager")[contact]
    return PageFailed(channel=channel, contact=contact, attempt=attempt, error="no", final=final, unknown=unknown)


def next_for(*facts: PageFact, after_s: float = 3600, attention: Attention = CALLING, contacts=(MAIL, PAGER)):
    return decide(page(*facts), attention, contacts, erased=False, now=NOON + timedelta(seconds=after_s))


def test_a_new_page_goes_to_the_first_contact():
    assert next_for() == Send(MAIL, attempted())


@pytest.mark.parametrize(
    "ending",
    [
        PageSent(channel="smtp", contact=0, attempt=1),
        PageWithheld(incident_id="INC-42", reason="nobody is on call"),
        PageAnswered(answer="link"),
    ],
)
def test_a_page_that_has_ended_needs_nothing(ending: PageFact):
    assert next_for(attempted(), ending) == Nothing()


def test_a_failed_contact_is_tried_again_after_its_pause():
    assert next_for(attempted(), failed(), after_s=3) == Wait(NOON + timedelta(seconds=2 + RETRY_PAUSES_S[0]))
    assert next_for(attempted(), failed(), after_s=2 + RETRY_PAUSES_S[0]) == Send(MAIL, attempted(attempt=2))


def test_a_final_failure_gives_the_next_contact_its_turn_at_once():
    assert next_for(attempted(), failed(final=True), after_s=2) == Send(PAGER, attempted(1, 2))


def test_the_final_failure_of_the_last_contact_ends_the_page():
    assert next_for(attempted(1), failed(1, final=True)) == Nothing()


def test_a_contact_has_so_many_tries_and_the_last_one_more():
    for contact, pauses in ((0, RETRY_PAUSES_S), (1, LAST_RETRY_PAUSES_S)):
        history: list[PageFact] = []
        for attempt in range(1, len(pauses) + 2):
            history.append(attempted(contact, attempt))
            fact = failure(page(*history), attempted(contact, attempt), 2, "no", permanent=False, unknown=False)
            assert fact.final == (attempt == len(pauses) + 1)
            if not fact.final:
                due = retry_at(page(*history), attempted(contact, attempt), 2, NOON)
                assert due == NOON + timedelta(seconds=pauses[attempt - 1])
            history.append(fact)


def test_a_permanent_failure_is_final_at_once():
    assert failure(page(attempted()), attempted(), 2, "550", permanent=True, unknown=False).final


def test_an_attempt_on_its_way_is_waited_for():
    assert next_for(attempted(), after_s=5) == Wait(NOON + timedelta(seconds=1 + ATTEMPT_LOST_AFTER_S))


def test_an_attempt_without_a_result_is_repeated_as_a_possible_duplicate():
    assert next_for(attempted(), after_s=1 + ATTEMPT_LOST_AFTER_S) == Send(MAIL, attempted(attempt=2, again=True))


def test_once_a_message_may_have_arrived_every_later_one_says_so():
    assert next_for(attempted(), failed(unknown=True)) == Send(MAIL, attempted(attempt=2, again=True))
    again = (attempted(), attempted(attempt=2, again=True), failed(attempt=2, final=True))
    assert next_for(*again) == Send(PAGER, attempted(1, 3, again=True))


def test_a_result_that_comes_too_late_does_not_end_the_attempt_after_it():
    late = (attempted(), attempted(attempt=2, again=True), failed(attempt=1))
    assert isinstance(next_for(*late, after_s=10), Wait)


@pytest.mark.parametrize(
    ("attention", "reason"),
    [
        ({"acknowledged": True}, "the incident was acknowledged meanwhile"),
        ({"ended": "resolved"}, "the incident was resolved meanwhile"),
        ({"ended": "dismissed"}, "the incident was dismissed meanwhile"),
        ({"ended": "merged"}, "the incident was merged into another meanwhile"),
        ({"call_seq": 9}, "the incident was reopened meanwhile, and pages anew"),
    ],
)
def test_a_page_that_is_not_needed_any_more_is_withheld(attention, reason: str):
    assert next_for(attention=msgspec.structs.replace(CALLING, **attention)) == Withhold(reason)


def test_nobody_is_written_to_who_was_erased_or_has_no_contact():
    assert decide(page(), CALLING, (), erased=True, now=NOON) == Withhold("the person was erased")
    assert decide(page(), CALLING, (), erased=False, now=NOON) == Withhold("the person has no contact")


def test_a_contact_that_was_taken_away_meanwhile_does_not_leave_the_page_without_an_end():
    assert next_for(attempted(1), contacts=(MAIL,)) == Send(MAIL, attempted(0, 2, again=True))


def test_a_page_that_nobody_requested_is_none():
    assert decide(Page(page_id="pg-2"), CALLING, (MAIL,), erased=False, now=NOON) == Nothing()
