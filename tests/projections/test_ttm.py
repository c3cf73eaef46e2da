"""The metric ``ttm``: from the start of impact until none was left."""

from datetime import timedelta

from events.incident import ImpactEnded, ImpactStarted, IncidentReopened, IncidentResolved, MilestoneCorrected
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import MORNING, given, incident


def test_it_runs_from_the_first_impact_to_the_end_of_the_last():
    given(*whole_incident()).view("ttm").shows({"duration_s": 25 * 60.0, "excluded_because": None})


def test_impact_of_a_relapse_does_not_stretch_the_first_episode():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="11:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=2), at="11:00"),
    ).view("ttm").shows({"duration_s": 25 * 60.0})


def test_impact_that_is_told_of_after_the_resolution_counts_by_when_it_was():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", IncidentResolved(), at="09:40"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:25"),
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


def test_a_mitigation_that_only_a_correction_tells_counts_and_without_any_nothing_is_guessed():
    began = MilestoneCorrected(milestone="impact_started", occurred_at=MORNING, reason="customers told us later")
    ended = MilestoneCorrected(
        milestone="mitigated", occurred_at=MORNING + timedelta(minutes=20), reason="the graphs show it"
    )
    given(
        incident("INC-41", DECLARED, IncidentResolved(), began, ended),
        incident("INC-42", DECLARED, IncidentResolved(), began),
    ).view("ttm").shows(
        {"incident_id": "INC-41", "state": "measured", "duration_s": 1200.0},
        {"incident_id": "INC-42", "state": "excluded", "excluded_because": "end of impact not known"},
    )
