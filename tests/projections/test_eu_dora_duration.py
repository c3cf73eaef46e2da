"""The metric ``eu_dora_duration``: Commission Delegated Regulation (EU) 2024/1772, article 3, by hand."""

from events.incident import (
    AlertUnlinked,
    ImpactEnded,
    ImpactStarted,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
)
from tests.projections.belief import corrected
from tests.projections.eu_dora_story import fired, linked
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment


def test_duration_runs_from_the_occurrence_to_the_resolution():
    given(*whole_incident()).view("eu_dora_duration").shows(
        {"started_by": "occurrence", "is_estimate": False, "state": "measured", "duration_s": 40 * 60.0}
    )


def test_without_a_known_occurrence_it_runs_from_the_detection():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        fired("a1", "09:05"),
        incident("INC-42", linked("a1"), at="09:06"),
        incident("INC-42", IncidentResolved(), at="09:40"),
    ).view("eu_dora_duration").shows({"started_by": "detection", "duration_s": 36 * 60.0})


def test_or_from_the_log_record_that_is_earlier():
    story = given(
        incident("INC-42", DECLARED, at="09:04"),
        fired("a1", "08:50"),
        # An occurrence that has nothing to do with it.
        fired("a2", "08:00"),
        fired("a2", "08:55", occurrence=2),
        incident("INC-42", linked("a1"), linked("a2", 2), at="09:06"),
        incident("INC-42", IncidentResolved(), at="09:40"),
        incident("INC-42", AlertUnlinked(alert_key="a1"), at="09:41"),
    )
    story.view("eu_dora_duration", as_of=7).shows({"started_by": "log record", "duration_s": 50 * 60.0})
    story.view("eu_dora_duration").shows({"started_by": "log record", "started_at": moment("08:55")})


def test_a_log_record_of_a_merged_incident_is_one_of_the_whole():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-43", DECLARED, at="09:05"),
        fired("a1", "08:50"),
        incident("INC-43", linked("a1"), at="09:06"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42"), at="09:07"),
        incident("INC-42", IncidentResolved(), at="09:40"),
    ).view("eu_dora_duration").shows(
        {"incident_id": "INC-42", "started_by": "log record", "duration_s": 50 * 60.0},
        {"incident_id": "INC-43", "duration_s": None, "excluded_because": "merged into INC-42"},
    )


def test_the_occurrence_that_is_learned_later_takes_the_place_of_both():
    story = given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", IncidentResolved(), at="09:40"),
        incident("INC-42", corrected("impact_started", "08:30"), at="09:50"),
    )
    story.view("eu_dora_duration", as_of=2).shows({"started_by": "detection", "duration_s": 36 * 60.0})
    story.view("eu_dora_duration").shows({"started_by": "occurrence", "duration_s": 70 * 60.0})


def test_while_it_is_not_resolved_the_time_until_now_is_the_estimate():
    given(incident("INC-42", DECLARED, at="09:04")).view("eu_dora_duration").shows(
        {
            "state": "censored",
            "is_estimate": True,
            "started_by": "detection",
            "known_until": moment("09:04").replace(second=2),
            "excluded_because": "not resolved",
        }
    )


def test_a_time_between_bounds_is_an_estimate():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", ImpactStarted(scope="checkout", level=1), at="09:00", between=("08:50", "09:02")),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:20"),
        incident("INC-42", IncidentResolved(), at="09:40"),
    ).view("eu_dora_duration").shows({"is_estimate": True, "state": "measured", "duration_s": 40 * 60.0})


def test_what_came_back_was_not_resolved_and_is_once_it_is_again():
    story = given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="09:50"),
        incident("INC-42", IncidentResolved(), at="10:30"),
    )
    story.view("eu_dora_duration", as_of=9).shows({"state": "censored", "is_estimate": True})
    story.view("eu_dora_duration").shows({"duration_s": 90 * 60.0})
