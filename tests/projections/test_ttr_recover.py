"""The metric ``ttr_recover``: from the start of impact to the first resolution that stood."""

from events.incident import ImpactStarted, IncidentReopened, IncidentResolved
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident


def test_it_runs_from_impact_to_resolution():
    given(*whole_incident()).view("ttr_recover").shows({"duration_s": 40 * 60.0, "excluded_because": None})


def test_a_relapse_keeps_the_first_resolution():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), IncidentResolved()),
    ).view("ttr_recover").shows({"duration_s": 40 * 60.0})


def test_a_mistaken_resolution_never_was():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="never over", episode=2), at="09:50"),
        incident("INC-42", IncidentResolved(), at="10:00"),
    ).view("ttr_recover").shows({"duration_s": 60 * 60.0})


def test_what_is_not_resolved_says_so():
    given(incident("INC-42", DECLARED, ImpactStarted(scope="checkout", level=1))).view("ttr_recover").shows(
        {"duration_s": None, "excluded_because": "not resolved"}
    )
