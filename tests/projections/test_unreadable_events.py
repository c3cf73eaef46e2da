"""The view ``unreadable_events``: what keeps its place and can say nothing."""

from events import Stored
from events.incident import IncidentDeclared
from tests.spec import MORNING, Given, incident, log_of


def test_bytes_that_are_no_event_are_kept_and_counted_and_stop_nothing():
    good = log_of(incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1")))
    bad = [
        Stored(2, "evt.incident.INC-42.noted", MORNING, b"\xff\xfe not text"),
        Stored(3, "evt.incident.INC-42.noted", MORNING, b"not json"),
        Stored(4, "evt.incident.INC-42.noted", MORNING, b'{"id": "x", "type": "incident.noted"}'),
        Stored(5, "evt.incident.INC-42.noted", MORNING, b"[1, 2]"),
        Stored(6, "evt.strange", MORNING, b""),
    ]
    history = Given([*good, *bad])
    history.view("unreadable_events").shows(
        {"seq": 2, "type": "incident.noted", "reason": "the body is not a JSON event"},
        {"seq": 3, "type": "incident.noted", "reason": "the body is not a JSON event"},
        {"seq": 4, "type": "incident.noted", "reason": "the event has no data"},
        {"seq": 5, "type": "incident.noted", "reason": "the body is not a JSON event"},
        {"seq": 6, "type": "strange.", "reason": "the body is not a JSON event"},
    )
    history.view("incidents").shows({"incident_id": "INC-42", "phase": "active", "last_seq": 5})


def test_an_event_of_a_later_version_is_not_unreadable():
    later = b'{"id": "x", "source": "s", "type": "incident.foreseen", "time": "2026-01-05T09:00:00Z", "data": {"a": 1}}'
    history = Given([Stored(1, "evt.incident.INC-42.foreseen", MORNING, later)])
    history.view("unreadable_events").shows_nothing()
    history.view("history").shows({"seq": 1, "type": "incident.foreseen", "headline": "incident.foreseen"})
