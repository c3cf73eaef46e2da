"""The metric ``ttm``: from the start of impact until none was left."""

from events.incident import ImpactEnded, ImpactStarted, IncidentReopened, IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident


def test_it_runs_from_the_first_impact_to_the_end_of_the_last():
    given(*whole_incident()).view("ttm").shows({"duration_s": 25 * 60.0, "excluded_because": None})


def test_impact_of_a_relapse_does_not_stretch_the_first_episode():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="11:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=2), at="11:00"),
    ).view("ttm").shows({"duration_s": 25 * 60.0})


def test_impact_after_a_mistaken_resolution_does():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="never over", episode=2), at="10:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=2), at="09:50"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="10:30"),
        incident("INC-42", IncidentResolved(), at="10:40"),
    ).view("ttm").shows({"duration_s": 90 * 60.0})


def test_a_near_miss_and_impact_that_lasts_say_so():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, ImpactStarted(scope="checkout", level=2)),
    ).view("ttm").shows(
        {"incident_id": "INC-41", "duration_s": None, "excluded_because": "no impact recorded"},
        {"incident_id": "INC-42", "duration_s": None, "excluded_because": "impact not over"},
    )
