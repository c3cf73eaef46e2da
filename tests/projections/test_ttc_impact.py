"""The metric ``ttc_impact``: from the start of impact to the first containment."""

from events.incident import IncidentContained
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_it_runs_from_impact_to_containment():
    given(*whole_incident()).view("ttc_impact").shows(
        {"started_at": moment("09:00"), "ended_at": moment("09:20"), "duration_s": 1200.0, "state": "measured"}
    )


def test_detection_does_not_stand_in_for_an_unknown_start():
    given(incident("INC-42", DECLARED, IncidentContained())).view("ttc_impact").shows(
        {"started_at": None, "duration_s": None, "excluded_because": "start of impact not known"}
    )
