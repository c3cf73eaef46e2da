"""The view ``alerts``: each distinct alert as it stands."""

from datetime import UTC, datetime

from events.alert import (
    AlertAcknowledged,
    AlertCleared,
    AlertClearedUnseen,
    AlertFired,
    AlertHeld,
    AlertPassedOver,
    AlertUpdated,
)
from events.incident import AlertLinked, AlertUnlinked
from tests.spec import alert, given, incident, moment


def fired(occurrence: int = 1) -> AlertFired:
    return AlertFired(
        integration="key-alertmanager",
        sender="alertmanager",
        fingerprint="c0ffee",
        occurrence=occurrence,
        title="5xx above 2 %",
        severity="critical",
        service="checkout",
        labels={"alertname": "Errors", "path.prefix": "/pay"},
    )


def linked(occurrence: int = 1) -> AlertLinked:
    return AlertLinked(alert_key="a1", occurrence=occurrence, title="5xx above 2 %")


def test_a_firing_alert_shows_what_its_sender_said():
    given(alert("a1", fired(), at="08:59")).view("alerts").shows(
        {
            "alert_key": "a1",
            "state": "firing",
            "title": "5xx above 2 %",
            "severity": "critical",
            "service": "checkout",
            "sender": "alertmanager",
            "integration": "key-alertmanager",
            "fingerprint": "c0ffee",
            "labels": {"alertname": "Errors", "path.prefix": "/pay"},
            "annotations": {},
            "url": None,
            "occurrence": 1,
            "started_at": moment("08:59"),
            "cleared_at": None,
            "received_at": moment("09:01").replace(second=2),
            "incident_id": None,
            "passed_over_reason": None,
            "held_because": None,
            "held_by": None,
            "held_until_at": None,
            "last_seq": 1,
        }
    )


def test_an_update_changes_title_and_severity_and_not_the_state():
    given(alert("a1", fired(), AlertUpdated(title="5xx above 1 %", severity="warning"))).view("alerts").shows(
        {"state": "firing", "title": "5xx above 1 %", "severity": "warning", "service": "checkout"}
    )


def test_an_acknowledged_alert_still_holds_and_a_cleared_one_does_not():
    given(
        alert("a1", fired(), AlertAcknowledged()),
        alert("a2", fired(), AlertAcknowledged()),
        alert("a2", AlertCleared(), at="09:40"),
    ).view("alerts").shows(
        {"alert_key": "a1", "state": "acknowledged", "cleared_at": None},
        {"alert_key": "a2", "state": "cleared", "cleared_at": moment("09:40")},
    )


def test_a_second_firing_is_a_new_occurrence_of_the_same_alert():
    given(alert("a1", fired(1), AlertCleared()), alert("a1", fired(2), at="09:30")).view("alerts").shows(
        {"alert_key": "a1", "state": "firing", "occurrence": 2, "started_at": moment("09:30"), "cleared_at": None}
    )


def test_a_clearing_without_a_firing_is_a_cleared_alert():
    unseen = AlertClearedUnseen(integration="key-1", sender="pagerduty", fingerprint="f", title="disk full")
    given(alert("a1", unseen, at="09:10")).view("alerts").shows(
        {"state": "cleared", "title": "disk full", "occurrence": 0, "started_at": None, "cleared_at": moment("09:10")}
    )


def test_it_names_the_incident_that_has_it_until_it_is_taken_out():
    given(
        alert("a1", fired()),
        alert("a2", fired()),
        incident("INC-41", linked(), AlertUnlinked(alert_key="a1")),
        incident("INC-42", linked()),
        incident("INC-43", AlertLinked(alert_key="a2", occurrence=1, title="5xx"), AlertUnlinked(alert_key="a2")),
    ).view("alerts").shows(
        {"alert_key": "a1", "incident_id": "INC-42"},
        {"alert_key": "a2", "incident_id": None},
    )


def test_a_firing_that_was_passed_over_says_why_and_leaves_the_earlier_incident():
    given(
        alert("a1", fired(1)),
        incident("INC-41", linked(1)),
        alert("a1", AlertCleared(), fired(2), AlertPassedOver(occurrence=2, rule="severity", reason="below error")),
    ).view("alerts").shows({"incident_id": None, "passed_over_reason": "below error", "occurrence": 2})


def test_it_says_what_holds_it_back_until_it_is_placed_clears_or_is_passed_over():
    until = datetime(2026, 1, 5, 12, tzinfo=UTC)
    silenced = AlertHeld(occurrence=1, because="silenced", held_by="sil-1", until_at=until)
    inhibited = AlertHeld(occurrence=1, because="inhibited", held_by="node down", holder_alert_key="a9")
    given(
        alert("held", fired(), silenced),
        alert("held-again", fired(), silenced, inhibited),
        alert("placed", fired(), silenced),
        incident("INC-42", AlertLinked(alert_key="placed", occurrence=1, title="5xx")),
        alert("cleared", fired(), silenced, AlertCleared()),
        alert("passed", fired(), silenced, AlertPassedOver(occurrence=1, rule="r", reason="below error")),
    ).view("alerts").shows(
        {"alert_key": "held", "held_because": "silenced", "held_by": "sil-1", "held_until_at": moment("12:00")},
        {"alert_key": "held-again", "held_because": "inhibited", "held_by": "node down", "held_until_at": None},
        {"alert_key": "placed", "held_because": None, "incident_id": "INC-42"},
        {"alert_key": "cleared", "held_because": None, "held_by": None},
        {"alert_key": "passed", "held_because": None, "passed_over_reason": "below error"},
    )
