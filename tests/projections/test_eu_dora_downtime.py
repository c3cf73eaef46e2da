"""The metric ``eu_dora_downtime``: Commission Delegated Regulation (EU) 2024/1772, article 3, by hand."""

from events.incident import (
    ImpactStarted,
    IncidentDismissed,
    IncidentMerged,
)
from tests.projections.belief import corrected
from tests.projections.eu_dora_story import affected
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment

MINUTE_US = 60 * 1_000_000


def test_downtime_is_the_time_in_which_something_was_unavailable():
    """09:00 to 09:25 of checkout and 09:20 to 09:30 of search overlap; 09:50 to 10:00 is apart from them."""
    given(
        *whole_incident(),
        *affected("09:20", "09:30", scope="search"),
        *affected("09:50", "10:00", level=1),
    ).view("eu_dora_downtime").shows(
        {
            "started_by": "occurrence",
            "is_estimate": False,
            "state": "measured",
            "ended_at": moment("10:00"),
            "quiet_us": 20 * MINUTE_US,
            "duration_s": 40 * 60.0,
        }
    )


def test_what_a_merged_incident_says_is_downtime_of_the_whole_once():
    given(
        *whole_incident(),
        incident("INC-43", DECLARED, at="09:10"),
        *affected("09:10", "09:35", of="INC-43"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42")),
    ).view("eu_dora_downtime").shows(
        {"incident_id": "INC-42", "duration_s": 35 * 60.0},
        {"incident_id": "INC-43", "duration_s": None, "excluded_because": "merged into INC-42"},
    )


def test_downtime_that_lasts_is_estimated_without_what_was_quiet():
    story = given(
        incident("INC-42", DECLARED, at="09:00"),
        *affected("09:00", "09:10"),
        *affected("09:20"),
        incident("INC-42", ImpactStarted(scope="search", level=1), at="09:30"),
    )
    story.view("eu_dora_downtime").shows(
        {
            "state": "censored",
            "is_estimate": True,
            "quiet_us": 10 * MINUTE_US,
            "known_until": moment("09:30").replace(second=2),
            "excluded_because": "impact not over",
        }
    )
    (row,) = [row for row in story.view("measurements").rows if row["metric"] == "eu_dora_downtime"]
    assert (row["state"], row["duration_us"]) == ("censored", 20 * MINUTE_US + 2_000_000)


def test_downtime_without_a_start_runs_from_the_detection():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", corrected("mitigated", "09:24"), at="09:50"),
    ).view("eu_dora_downtime").shows({"started_by": "detection", "duration_s": 20 * 60.0})


def test_without_impact_there_was_no_downtime():
    given(
        incident("INC-41", DECLARED, at="09:04"),
        incident("INC-42", DECLARED, at="09:04"),
        *affected("09:00", "09:10"),
        incident("INC-42", IncidentDismissed(reason="benign")),
    ).view("eu_dora_downtime").shows(
        {"incident_id": "INC-41", "state": "excluded", "excluded_because": "no impact recorded", "started_by": None},
        {"incident_id": "INC-42", "state": "excluded", "excluded_because": "dismissed", "duration_s": None},
    )
