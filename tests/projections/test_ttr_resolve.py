"""The metric ``ttr_resolve``: from the earliest signal to the permanent fix, or to closing."""

from events.incident import IncidentClosed, IncidentEradicated, IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_it_runs_to_the_eradication_and_without_one_to_the_closing():
    given(
        incident("INC-41", DECLARED, at="09:00"),
        incident("INC-41", IncidentResolved(), at="09:40"),
        incident("INC-41", IncidentClosed(), at="10:00"),
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", IncidentEradicated(), at="09:30"),
        incident("INC-42", IncidentResolved(), at="09:40"),
        incident("INC-42", IncidentClosed(), at="10:00"),
    ).view("ttr_resolve").shows(
        {"incident_id": "INC-41", "ended_at": moment("10:00"), "duration_s": 3600.0},
        {"incident_id": "INC-42", "ended_at": moment("09:30"), "duration_s": 1800.0},
    )


def test_resolved_is_not_enough():
    given(*whole_incident()).view("ttr_resolve").shows(
        {"state": "censored", "excluded_because": "neither eradicated nor closed"}
    )
