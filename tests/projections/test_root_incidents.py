"""The view ``root_incidents``: what carries an incident on."""

from events.incident import IncidentMerged, IncidentUnmerged
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident


def test_merges_lead_to_the_last_one():
    given(
        incident("INC-40", DECLARED),
        incident("INC-41", DECLARED, IncidentMerged(into_incident_id="INC-40")),
        incident("INC-42", DECLARED, IncidentMerged(into_incident_id="INC-41")),
        incident("INC-43", DECLARED, IncidentMerged(into_incident_id="INC-42")),
        incident("INC-43", IncidentUnmerged(from_incident_id="INC-42")),
    ).view("root_incidents").shows(
        {"incident_id": "INC-40", "root_incident_id": "INC-40"},
        {"incident_id": "INC-41", "root_incident_id": "INC-40"},
        {"incident_id": "INC-42", "root_incident_id": "INC-40"},
        {"incident_id": "INC-43", "root_incident_id": "INC-43"},
    )


def test_a_circle_in_a_damaged_log_ends():
    given(
        incident("INC-41", DECLARED, IncidentMerged(into_incident_id="INC-42")),
        incident("INC-42", DECLARED, IncidentMerged(into_incident_id="INC-41")),
    ).view("root_incidents").shows({"incident_id": "INC-41"}, {"incident_id": "INC-42"})
