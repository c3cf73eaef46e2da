"""The metric ``ttr_recover_durable``: from the start of impact to the resolution that lasted."""

from events.incident import IncidentReopened, IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment

RELAPSED = (
    *whole_incident(),
    incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="10:00"),
)
RESOLVED_AGAIN = (*RELAPSED, incident("INC-42", IncidentResolved(), at="10:30"))
LATER = incident("INC-43", DECLARED, at="+14 10:30")


def test_a_resolution_is_a_lower_bound_until_the_incident_can_no_longer_come_back():
    given(*whole_incident()).view("ttr_recover_durable").shows(
        {"state": "censored", "known_until": moment("09:40"), "excluded_because": "it may still come back"}
    )


def test_while_it_is_reopened_the_time_runs_on():
    given(*RELAPSED, LATER).view("ttr_recover_durable").shows(
        {"incident_id": "INC-42", "state": "censored", "ended_at": None, "excluded_because": "not resolved"},
        {"incident_id": "INC-43", "excluded_because": "start of impact not known"},
    )


def test_two_weeks_after_the_last_resolution_it_is_measured_to_that():
    given(*RESOLVED_AGAIN, LATER).view("ttr_recover_durable").shows(
        {"incident_id": "INC-42", "state": "measured", "ended_at": moment("10:30"), "duration_s": 90 * 60.0},
        {"incident_id": "INC-43"},
    )
