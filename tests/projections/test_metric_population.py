"""The view ``metric_population``: what metrics count, and from where to where."""

import pytest

from events.incident import (
    DeterminationSet,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentDismissed,
    IncidentMerged,
    IncidentReopened,
    IncidentSeverityChanged,
)
from tests.projections.metric_story import DECLARED, mark, whole_incident
from tests.spec import given, incident


def test_what_is_no_incident_of_its_own_is_left_out_and_says_why():
    given(
        incident("INC-40", DECLARED),
        incident("INC-41", DECLARED, IncidentMerged(into_incident_id="INC-40")),
        incident("INC-42", DECLARED, IncidentDismissed(reason="benign")),
        incident("INC-43", DECLARED, DeterminationSet(determination="false_positive")),
        incident("INC-44", DECLARED, DeterminationSet(determination="exercise")),
        incident("INC-45", DECLARED, DeterminationSet(determination="confirmed")),
    ).view("metric_population").shows(
        {"incident_id": "INC-40", "excluded_because": None},
        {"incident_id": "INC-41", "excluded_because": "merged into INC-40"},
        {"incident_id": "INC-42", "excluded_because": "dismissed"},
        {"incident_id": "INC-43", "excluded_because": "false positive"},
        {"incident_id": "INC-44", "excluded_because": "exercise"},
        {"incident_id": "INC-45", "excluded_because": None},
    )


def test_a_root_starts_when_the_earliest_of_its_members_did_and_ends_by_itself():
    given(
        *whole_incident(),
        incident("INC-43", DECLARED, at="08:50"),
        incident("INC-43", ImpactStarted(scope="search", level=1), at="08:40"),
        incident("INC-43", IncidentAcknowledged(), at="08:55"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42")),
    ).view("metric_population").shows(
        {
            "incident_id": "INC-42",
            "impact_started": mark("08:40", 10),
            "detected": mark("08:50", 9),
            "notified": mark("09:05", 4),
            "first_acknowledged": mark("09:07", 5),
            "first_resolved": mark("09:40", 8),
        },
        {"incident_id": "INC-43", "excluded_because": "merged into INC-42"},
    )


def test_the_declared_severity_is_the_one_that_counts():
    given(incident("INC-42", DECLARED, IncidentSeverityChanged(severity="sev1", previous="sev2"))).view(
        "metric_population"
    ).shows({"severity": "sev2"})


def test_what_no_longer_holds_is_not_reached():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="10:00"),
    ).view("metric_population").shows(
        {"stands": True, "contained": None, "resolved": None, "first_resolved": mark("09:40", 8)}
    )


@pytest.mark.parametrize(("later", "settled"), [("+13 09:40", False), ("+14 09:40", True)])
def test_an_incident_is_settled_two_weeks_after_it_was_resolved(later: str, settled: bool):
    given(*whole_incident(), incident("INC-43", DECLARED, at=later)).view("metric_population").shows(
        {"incident_id": "INC-42", "settled": settled}, {"incident_id": "INC-43", "settled": False}
    )
