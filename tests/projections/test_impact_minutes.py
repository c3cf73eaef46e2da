"""The metric ``impact_minutes``: level times time, which can be added up."""

from events.incident import ImpactEnded, ImpactLevelChanged, ImpactStarted, IncidentDismissed, IncidentMerged
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment

MINUTE_US = 60 * 1_000_000


def test_each_level_weighs_as_much_as_it_says():
    """Level 1 from 09:00, level 4 from 09:10, over at 09:15."""
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=1), at="09:00"),
        incident("INC-42", ImpactLevelChanged(scope="checkout", level=4), at="09:10"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:15"),
    ).view("impact_minutes").shows(
        {
            "state": "measured",
            "level_peak": 4,
            "impact_us": 15 * MINUTE_US,
            "weighted_us": (10 * 1 + 5 * 4) * MINUTE_US,
            "impact_minutes": 30.0,
        }
    )


def test_scopes_add_up():
    given(
        *whole_incident(),
        incident("INC-42", ImpactStarted(scope="search", level=1), at="09:00"),
        incident("INC-42", ImpactEnded(scope="search"), at="09:10"),
    ).view("impact_minutes").shows({"impact_minutes": 25.0 * 3 + 10.0})


def test_what_a_merged_incident_says_of_the_same_scope_counts_once_and_at_the_worse_level():
    """The duplicate saw level 4 from 09:20 to 09:30, where the root saw level 3 from 09:00 to 09:25."""
    given(
        *whole_incident(),
        incident("INC-43", DECLARED, at="09:20"),
        incident("INC-43", ImpactStarted(scope="checkout", level=4), at="09:20"),
        incident("INC-43", ImpactEnded(scope="checkout"), at="09:30"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42")),
    ).view("impact_minutes").shows(
        {"incident_id": "INC-42", "impact_us": 30 * MINUTE_US, "impact_minutes": 20.0 * 3 + 10.0 * 4},
        {"incident_id": "INC-43", "impact_minutes": None, "excluded_because": "merged into INC-42"},
    )


def test_impact_that_lasts_counts_until_the_log_ends():
    given(
        incident("INC-42", ImpactStarted(scope="checkout", level=2), at="09:00"),
        incident("INC-42", DECLARED, at="09:30"),
    ).view("impact_minutes").shows(
        {"state": "censored", "excluded_because": "impact not over", "impact_us": 30 * MINUTE_US + 2_000_000}
    )


def test_without_impact_it_says_so():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, ImpactStarted(scope="a", level=1), IncidentDismissed(reason="benign")),
    ).view("impact_minutes").shows(
        {"incident_id": "INC-41", "state": "excluded", "excluded_because": "no impact recorded"},
        {"incident_id": "INC-42", "state": "excluded", "excluded_because": "dismissed", "impact_us": None},
    )


def test_its_month_is_the_one_in_which_the_impact_began():
    """Known only since February, and long before February in which the last minute lay."""
    given(
        incident("INC-42", DECLARED, at="+27 10:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=1), at="+26 10:00"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="+28 10:00"),
        incident("INC-43", DECLARED, at="+27 10:00"),
    ).view("impact_minutes").shows(
        {"incident_id": "INC-42", "month": moment("00:00").replace(day=1), "severity_declared": "sev2"},
        {"incident_id": "INC-43", "month": moment("00:00").replace(month=2, day=1), "state": "excluded"},
    )
