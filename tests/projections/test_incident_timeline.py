"""The view ``incident_timeline``: everything around an incident, once, in order."""

from events.alert import AlertCleared, AlertFired
from events.escalation import EscalationExhausted
from events.incident import AlertLinked, IncidentDeclared, Noted
from events.page import PageRequested, PageSent
from events.review import ActionAgreed
from tests.spec import ADA, BOB, alert, given, incident, moment, page, stream

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")
REQUESTED = PageRequested(
    incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
)


def fired(occurrence: int) -> AlertFired:
    return AlertFired(
        integration="key-1",
        sender="alertmanager",
        fingerprint="f",
        occurrence=occurrence,
        title="5xx above 2 %",
        severity="critical",
    )


def linked(occurrence: int) -> AlertLinked:
    return AlertLinked(alert_key="a1", occurrence=occurrence, title="5xx above 2 %")


def test_it_tells_facts_pages_escalation_alerts_and_review_with_their_headlines():
    given(
        alert("a1", fired(1)),
        incident("INC-42", DECLARED, linked(1)),
        page("pg-1", REQUESTED, PageSent(channel="smtp", contact=0, attempt=1)),
        stream("escalation.INC-42", EscalationExhausted(run=1)),
        alert("a1", AlertCleared(title="5xx above 2 %")),
        stream("review.INC-42", ActionAgreed(action_id="act-1", text="alert earlier"), by=ADA),
        incident("INC-41", DECLARED),
    ).view("incident_timeline").shows(
        {"incident_id": "INC-42", "seq": 1, "headline": "alert 5xx above 2 % fired (critical)"},
        {"incident_id": "INC-42", "seq": 2, "headline": "declared sev1: checkout is down"},
        {"incident_id": "INC-42", "seq": 3, "headline": "alert joined: 5xx above 2 %"},
        {"incident_id": "INC-42", "seq": 4, "headline": f"paging {BOB}, answer within 300 s"},
        {"incident_id": "INC-42", "seq": 5, "headline": "sent by smtp"},
        {"incident_id": "INC-42", "seq": 6, "headline": "nobody answered; the policy has no further level"},
        {"incident_id": "INC-42", "seq": 7, "headline": "alert cleared: 5xx above 2 %"},
        {"incident_id": "INC-42", "seq": 8, "headline": "action act-1: alert earlier"},
        {"incident_id": "INC-41", "seq": 9, "headline": "declared sev1: checkout is down"},
    )


def test_an_alert_that_fires_again_belongs_to_the_incident_of_that_firing():
    given(
        alert("a1", fired(1)),
        incident("INC-41", DECLARED, linked(1)),
        alert("a1", AlertCleared()),
        alert("a1", fired(2)),
        incident("INC-42", DECLARED, linked(2)),
        alert("a1", AlertCleared()),
    ).view("incident_timeline").shows(
        *({"incident_id": "INC-41", "seq": seq} for seq in (1, 2, 3, 4)),
        *({"incident_id": "INC-42", "seq": seq} for seq in (5, 6, 7, 8)),
    )


def test_it_shows_both_clocks_and_who_did_it():
    given(incident("INC-42", Noted(text="restarted it"), at="08:30", by=BOB)).view("incident_timeline").shows(
        {
            "happened_at": moment("08:30"),
            "recorded_at": moment("09:01").replace(second=2),
            "actor": BOB,
            "type": "incident.noted",
            "stream": "incident.INC-42",
            "event_id": "event-1",
            "causation_id": None,
        }
    )
