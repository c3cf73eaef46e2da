"""The view ``impact_intervals``: stretches of impact, apart for each scope."""

from events.incident import ImpactEnded, ImpactLevelChanged, ImpactStarted
from tests.spec import given, incident, moment


def test_a_stretch_lasts_from_its_start_to_its_end_at_its_worst_level():
    given(
        incident("INC-42", ImpactStarted(scope="checkout", level=1), at="09:00"),
        incident("INC-42", ImpactLevelChanged(scope="checkout", level=4), at="09:05"),
        incident("INC-42", ImpactLevelChanged(scope="checkout", level=2), at="09:10"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:20"),
    ).view("impact_intervals").shows(
        {"scope": "checkout", "started_at": moment("09:00"), "ended_at": moment("09:20"), "level_max": 4}
    )


def test_scopes_are_independent_and_a_new_start_is_a_new_stretch():
    given(
        incident("INC-42", ImpactStarted(scope="checkout", level=1), ImpactStarted(scope="search", level=2)),
        incident("INC-42", ImpactEnded(scope="checkout"), ImpactStarted(scope="checkout", level=3)),
        incident("INC-41", ImpactStarted(scope="checkout", level=1)),
    ).view("impact_intervals").shows(
        {"incident_id": "INC-42", "scope": "checkout", "started_seq": 1, "ended_seq": 3},
        {"incident_id": "INC-42", "scope": "checkout", "started_seq": 4, "ended_seq": None},
        {"incident_id": "INC-42", "scope": "search", "started_seq": 2, "ended_seq": None},
        {"incident_id": "INC-41", "scope": "checkout", "started_seq": 5, "ended_seq": None},
    )
