"""The metric ``ttc_durable``: from the earliest signal to the containment that held."""

from events.incident import IncidentContained, IncidentRegressed, IncidentResolved
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident, moment

REGRESSED = (
    incident("INC-42", DECLARED, at="09:00"),
    incident("INC-42", IncidentContained(), at="09:10"),
    incident("INC-42", IncidentRegressed(reason="it spread"), at="09:20"),
)
CONTAINED_AGAIN = (*REGRESSED, incident("INC-42", IncidentContained(), at="09:30"))
RESOLVED = (*CONTAINED_AGAIN, incident("INC-42", IncidentResolved(), at="09:40"))


def test_after_a_regression_it_is_open_until_now():
    given(*REGRESSED, incident("INC-43", DECLARED, at="10:00")).view("ttc_durable").shows(
        {"incident_id": "INC-42", "state": "censored", "ended_at": None, "excluded_because": "not contained"},
        {"incident_id": "INC-43", "state": "censored"},
    )


def test_a_containment_is_provisional_until_the_incident_can_no_longer_come_back():
    given(*RESOLVED).view("ttc_durable").shows(
        {"state": "censored", "known_until": moment("09:30"), "excluded_because": "it may still come back"}
    )
    given(*RESOLVED, incident("INC-43", DECLARED, at="+14 09:40")).view("ttc_durable").shows(
        {"incident_id": "INC-42", "state": "measured", "duration_s": 1800.0, "excluded_because": None},
        {"incident_id": "INC-43", "state": "censored"},
    )


def test_over_without_a_containment_there_is_nothing_to_measure():
    given(incident("INC-42", DECLARED, IncidentResolved())).view("ttc_durable").shows(
        {"state": "excluded", "excluded_because": "not contained"}
    )
