"""The metric ``dwell``: how long an attacker was there before anybody noticed."""

from events.incident import ImpactStarted, IncidentDeclared
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident, moment

BREACH = IncidentDeclared(title="credentials were used", severity="sev1", profile="security")


def test_it_runs_from_the_first_known_activity_to_the_first_signal():
    given(
        incident("INC-42", BREACH, at="+12 09:00"),
        incident("INC-42", ImpactStarted(scope="customer data", level=2), at="09:00"),
    ).view("dwell").shows(
        {"started_at": moment("09:00"), "duration_s": 12 * 86400.0, "state": "measured", "excluded_because": None}
    )


def test_an_outage_has_no_dwell_time_and_an_unknown_beginning_is_not_guessed():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", BREACH, at="09:00"),
        incident("INC-43", BREACH, at="09:00"),
        incident("INC-43", ImpactStarted(scope="customer data", level=2), at="09:10"),
    ).view("dwell").shows(
        {"incident_id": "INC-41", "excluded_because": "not a security incident"},
        {"incident_id": "INC-42", "excluded_because": "first activity not known"},
        {"incident_id": "INC-43", "excluded_because": "detected before the first activity"},
    )
