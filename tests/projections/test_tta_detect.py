"""The metric ``tta_detect``: from the earliest signal to the first acknowledgement by a person."""

from events.incident import IncidentAcknowledged, IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import ADA, given, incident, moment


def test_it_runs_from_detection_whether_or_not_somebody_was_paged():
    given(*whole_incident(), incident("INC-43", DECLARED, at="09:30"), incident("INC-43", IncidentAcknowledged())).view(
        "tta_detect"
    ).shows(
        {"incident_id": "INC-42", "started_at": moment("09:04"), "ended_at": moment("09:07"), "duration_s": 180.0},
        {"incident_id": "INC-43", "duration_s": None, "excluded_because": "acknowledged before it was detected"},
    )


def test_nobody_yet_is_open_and_a_machine_or_the_end_leaves_it_out():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, IncidentAcknowledged(automatic=True), by=ADA),
        incident("INC-43", DECLARED, IncidentResolved()),
    ).view("tta_detect").shows(
        {"incident_id": "INC-41", "state": "censored", "excluded_because": "not acknowledged by a person"},
        {"incident_id": "INC-42", "state": "excluded", "excluded_because": "not acknowledged by a person"},
        {"incident_id": "INC-43", "state": "excluded", "excluded_because": "not acknowledged by a person"},
    )
