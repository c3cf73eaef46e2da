"""The view ``open_work``: what waits for somebody."""

from events.audit import DeadLetterRecorded, DeadLetterReplayed
from events.incident import IncidentAcknowledged, IncidentClosed, IncidentDeclared, IncidentResolved, RoleAssigned
from events.page import PageRequested, PageSent
from events.review import ActionAgreed, ActionDone
from tests.spec import ADA, BOB, given, incident, page, stream

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")
REQUESTED = PageRequested(
    incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
)


def test_an_open_incident_waits_for_its_commander_and_its_page_for_an_answer():
    given(
        incident("INC-42", DECLARED, RoleAssigned(role="commander", person_id=ADA)),
        page("pg-1", REQUESTED, PageSent(channel="smtp", contact=0, attempt=1)),
    ).view("open_work").shows(
        {"kind": "incident", "id": "INC-42", "title": "checkout is down", "severity": "sev1", "owner": ADA},
        {"kind": "page", "id": "pg-1", "title": "checkout is down", "severity": "sev1", "owner": BOB},
    )


def test_an_acknowledged_incident_waits_for_no_page():
    given(incident("INC-42", DECLARED), page("pg-1", REQUESTED), incident("INC-42", IncidentAcknowledged())).view(
        "open_work"
    ).shows({"kind": "incident", "id": "INC-42"})


def test_a_resolved_incident_waits_for_its_review_and_a_closed_one_for_nothing():
    given(
        incident("INC-41", DECLARED, IncidentResolved()),
        incident("INC-42", DECLARED, IncidentResolved(), IncidentClosed()),
    ).view("open_work").shows({"kind": "review", "id": "INC-41"})


def test_agreed_actions_and_dead_letters_wait_until_they_are_done():
    letter = DeadLetterRecorded(
        service="intake",
        source_stream="INTAKE",
        source_seq=7,
        source_subject="intake.json",
        error="no title",
        attempts=1,
    )
    given(
        stream("review.INC-42", ActionAgreed(action_id="act-1", text="alert earlier", owner_id=ADA)),
        stream("review.INC-42", ActionAgreed(action_id="act-2", text="drill"), ActionDone(action_id="act-2")),
        stream("deadletter.d1", letter),
        stream("deadletter.d2", letter, DeadLetterReplayed(outcome="handled")),
    ).view("open_work").shows(
        {"kind": "action", "id": "INC-42/act-1", "owner": ADA},
        {"kind": "dead_letter", "id": "d1", "owner": "intake"},
    )
