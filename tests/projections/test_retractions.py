"""Events that were taken back: every projection answers as if they had never been told, from the retraction on."""

from events.alert import AlertFired
from events.incident import AlertLinked, EventRetracted, IncidentDeclared, IncidentResolved
from projections.lens import Lens
from tests.spec import alert, empty_warehouse, given, incident, log_of

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")
FIRED = AlertFired(
    integration="key-1", sender="alertmanager", fingerprint="f", occurrence=1, title="5xx", severity="critical"
)
LINKED = AlertLinked(alert_key="a1", occurrence=1, title="5xx")


def retracted(seq: int, stream: str, its_type: str) -> EventRetracted:
    return EventRetracted(
        event_id=f"event-{seq}", event_seq=seq, event_stream=stream, event_type=its_type, reason="wrong incident"
    )


def test_an_event_of_the_same_stream_counts_until_it_is_taken_back():
    history = given(
        incident("INC-42", DECLARED, IncidentResolved(), retracted(2, "incident.INC-42", "incident.resolved"))
    )
    history.view("incidents", as_of=2).shows({"incident_id": "INC-42", "phase": "resolved"})
    history.view("incidents").shows({"incident_id": "INC-42", "phase": "active", "resolved_at": None})


def test_an_event_of_a_linked_stream_disappears_from_what_is_made_of_that_stream():
    history = given(alert("a1", FIRED), incident("INC-42", DECLARED, LINKED, retracted(1, "alert.a1", "alert.fired")))
    history.view("alerts", as_of=3).shows({"alert_key": "a1", "state": "firing", "incident_id": "INC-42"})
    history.view("alerts").shows_nothing()


def test_history_and_the_log_still_show_it_and_the_timeline_says_by_what_it_was_taken_back():
    history = given(alert("a1", FIRED), incident("INC-42", DECLARED, LINKED, retracted(1, "alert.a1", "alert.fired")))
    history.view("history").shows(
        {"seq": 1, "retracted_by_seq": 4}, *({"seq": seq, "retracted_by_seq": None} for seq in (2, 3, 4))
    )
    history.view("log").shows(*({"seq": seq} for seq in (1, 2, 3, 4)))
    history.view("incident_timeline").shows(
        {"incident_id": "INC-42", "seq": 1, "retracted_by_seq": 4},
        *({"incident_id": "INC-42", "seq": seq, "retracted_by_seq": None} for seq in (2, 3, 4)),
    )


def test_one_that_names_no_event_as_it_lies_in_the_log_takes_nothing_back():
    given(
        incident("INC-42", DECLARED),
        incident("INC-42", retracted(1, "incident.INC-41", "incident.declared")),
        incident("INC-42", retracted(1, "incident.INC-42", "incident.opened")),
        incident("INC-42", retracted(9, "incident.INC-42", "incident.resolved"), retracted(0, "", "")),
        incident("INC-42", IncidentResolved(), retracted(7, "nowhere", "incident.event_retracted")),
    ).view("incidents").shows({"incident_id": "INC-42", "phase": "resolved"})


def test_a_retraction_cannot_be_taken_back():
    given(
        incident("INC-42", DECLARED, IncidentResolved(), retracted(2, "incident.INC-42", "incident.resolved")),
        incident("INC-42", retracted(3, "incident.INC-42", "incident.event_retracted")),
    ).view("incidents").shows({"incident_id": "INC-42", "phase": "active"})


def test_one_that_was_not_known_then_takes_nothing_back_then():
    log = log_of(
        incident("INC-42", DECLARED, IncidentResolved(), retracted(2, "incident.INC-42", "incident.resolved")),
        incident("INC-42", retracted(2, "incident.INC-42", "incident.resolved")),
    )
    with empty_warehouse() as warehouse:
        warehouse.apply(log)
        before, after = (Lens(known_by=log[number].recorded_at) for number in (1, 2))
        assert warehouse.ask("select phase from incidents", as_of=before).rows == [("resolved",)]
        assert warehouse.ask("select phase from incidents", as_of=after).rows == [("active",)]
        marked = "select retracted_by_seq from history where seq = 2"
        assert warehouse.ask(marked).rows == warehouse.ask(marked, as_of=after).rows == [(3,)]
