"""The metric ``ttc``: from the earliest signal to the first containment."""

from events.incident import IncidentContained, IncidentRegressed
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident


def test_it_runs_from_detection_to_containment():
    given(*whole_incident()).view("ttc").shows({"duration_s": 16 * 60.0, "excluded_because": None})


def test_the_first_containment_counts_whether_or_not_it_held():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", IncidentContained(), at="09:10"),
        incident("INC-42", IncidentRegressed(reason="it spread"), at="09:20"),
        incident("INC-42", IncidentContained(), at="09:50"),
    ).view("ttc").shows({"duration_s": 600.0})


def test_what_is_not_contained_says_so():
    given(incident("INC-42", DECLARED)).view("ttc").shows({"duration_s": None, "excluded_because": "not contained"})
