"""The metric ``ttd``: from the start of impact to the earliest signal."""

from events.incident import ImpactStarted
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_it_runs_from_impact_to_detection():
    given(*whole_incident()).view("ttd").shows(
        {
            "incident_id": "INC-42",
            "service": "checkout",
            "severity": "sev2",
            "started_at": moment("09:00"),
            "ended_at": moment("09:04"),
            "duration_s": 240.0,
            "excluded_because": None,
        }
    )


def test_detection_before_the_impact_is_lead_time_and_is_not_cut_to_zero():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=1), at="09:10"),
    ).view("ttd").shows({"duration_s": -600.0, "excluded_because": None})


def test_without_a_known_start_nothing_is_guessed():
    given(incident("INC-42", DECLARED)).view("ttd").shows(
        {"duration_s": None, "excluded_because": "start of impact not known"}
    )
