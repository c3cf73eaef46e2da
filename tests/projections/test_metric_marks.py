"""The view ``metric_marks``: when each incident reached what, by which event."""

from events.incident import IncidentContained, IncidentRegressed, IncidentReopened, IncidentResolved
from tests.projections.metric_story import DECLARED, mark, whole_incident
from tests.spec import given, incident


def test_a_mark_names_the_event_that_it_rests_on():
    given(*whole_incident()).view("metric_marks").shows(
        {
            "impact_started": mark("09:00", 2),
            "detected": mark("09:04", 1),
            "notified": mark("09:05", 4),
            "first_acknowledged": mark("09:07", 5),
            "first_declared": mark("09:04", 1),
            "first_contained": mark("09:20", 6),
            "first_resolved": mark("09:40", 8),
            "last_closed": None,
        }
    )


def test_the_first_and_the_last_are_told_apart():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", IncidentContained(), at="09:10"),
        incident("INC-42", IncidentRegressed(reason="it spread"), at="09:20"),
        incident("INC-42", IncidentContained(), at="09:30"),
    ).view("metric_marks").shows({"first_contained": mark("09:10", 2), "last_contained": mark("09:30", 4)})


def test_a_resolution_taken_back_as_mistaken_is_no_mark():
    given(
        incident("INC-42", DECLARED, IncidentResolved()),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="never over", episode=2)),
        incident("INC-42", IncidentResolved(), at="10:00"),
    ).view("metric_marks").shows({"first_resolved": mark("10:00", 4), "last_resolved": mark("10:00", 4)})
