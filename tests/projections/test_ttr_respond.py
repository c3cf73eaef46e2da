"""The metric ``ttr_respond``: from when somebody was told to the first resolution that stood."""

from events.incident import IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_it_runs_from_the_first_page():
    given(*whole_incident()).view("ttr_respond").shows(
        {"started_at": moment("09:05"), "ended_at": moment("09:40"), "duration_s": 35 * 60.0, "state": "measured"}
    )


def test_when_nobody_was_paged_it_runs_from_detection():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", IncidentResolved(), at="09:10"),
        incident("INC-43", DECLARED),
    ).view("ttr_respond").shows(
        {"incident_id": "INC-42", "started_at": moment("09:00"), "duration_s": 600.0},
        {"incident_id": "INC-43", "state": "censored", "excluded_because": "not resolved"},
    )
