"""The metric ``ttm_detect``: from the earliest signal until no impact was left."""

from events.incident import ImpactEnded, ImpactStarted
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_it_runs_from_detection_to_the_end_of_the_impact():
    given(*whole_incident()).view("ttm_detect").shows(
        {"started_at": moment("09:04"), "ended_at": moment("09:25"), "duration_s": 21 * 60.0, "state": "measured"}
    )


def test_impact_that_lasts_is_open_and_impact_that_was_over_before_is_left_out():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, ImpactStarted(scope="checkout", level=2)),
        incident("INC-43", ImpactStarted(scope="checkout", level=2), at="08:00"),
        incident("INC-43", ImpactEnded(scope="checkout"), at="08:10"),
        incident("INC-43", DECLARED, at="09:00"),
    ).view("ttm_detect").shows(
        {"incident_id": "INC-41", "state": "excluded", "excluded_because": "no impact recorded"},
        {"incident_id": "INC-42", "state": "censored", "excluded_because": "impact not over"},
        {"incident_id": "INC-43", "state": "excluded", "excluded_because": "mitigated before it was detected"},
    )
