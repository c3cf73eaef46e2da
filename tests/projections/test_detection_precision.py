"""The metric ``detection_precision``: how much of what was found was real."""

from events.incident import DeterminationSet, IncidentDismissed, IncidentMerged
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident


def determined(incident_id: str, determination: str):
    """An incident that turned out to be something."""
    return incident(incident_id, DECLARED, DeterminationSet(determination=determination))


def test_it_is_the_share_of_the_confirmed_among_the_judged():
    given(
        determined("INC-1", "confirmed"),
        determined("INC-2", "confirmed"),
        determined("INC-3", "benign"),
        incident("INC-4", DECLARED, IncidentDismissed(reason="false_positive")),
        incident("INC-5", DECLARED),
        incident("INC-6", DECLARED, IncidentDismissed(reason="transient_no_impact")),
    ).view("detection_precision").shows(
        {
            "source": "person",
            "service": "checkout",
            "confirmed": 2,
            "false_positive": 1,
            "benign": 1,
            "not_judged": 2,
            "precision": 0.5,
        }
    )


def test_exercises_and_duplicates_are_left_out_and_nothing_judged_is_no_precision():
    given(
        incident("INC-1", DECLARED),
        determined("INC-2", "exercise"),
        incident("INC-3", DECLARED, IncidentMerged(into_incident_id="INC-1")),
    ).view("detection_precision").shows({"confirmed": 0, "not_judged": 1, "precision": None})
