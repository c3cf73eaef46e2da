"""The metric ``mtbf``, as counts over exposure: how often each service failed while it was up."""

from datetime import datetime

from events.incident import ImpactEnded, ImpactStarted, IncidentDismissed
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident

MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US


def failed(incident_id: str, since: str, until: str, scope: str = "checkout"):
    """An incident whose impact is known."""
    return (
        incident(incident_id, DECLARED, at=since),
        incident(incident_id, ImpactStarted(scope=scope, level=2), at=since),
        incident(incident_id, ImpactEnded(scope=scope), at=until),
    )


def test_failures_are_counted_over_the_time_that_the_service_was_up():
    given(*failed("INC-41", "09:10", "09:20"), *failed("INC-42", "10:00", "10:30")).view("failure_rate").shows(
        {
            "service": "checkout",
            "month": datetime(2026, 1, 1),
            "failures": 2,
            # From the first event, recorded at 09:10:02, or the first failure, to 10:30:02.
            "observed_us": 80 * MINUTE_US + 2_000_000,
            "down_us": 40 * MINUTE_US,
            "exposure_us": 40 * MINUTE_US + 2_000_000,
        }
    )


def test_what_overlaps_is_one_failure():
    given(
        *failed("INC-41", "09:10", "09:40"),
        *failed("INC-42", "09:20", "09:30"),
        *failed("INC-43", "09:35", "09:50"),
        *failed("INC-44", "09:35", "09:36", scope="search"),
    ).view("failure_rate").shows(
        {"service": "checkout", "failures": 1, "down_us": 40 * MINUTE_US},
        {"service": "search", "failures": 1, "down_us": 1 * MINUTE_US},
    )


def test_a_month_without_a_failure_is_exposure_too():
    given(*failed("INC-41", "09:10", "09:20"), *failed("INC-42", "+30 00:00", "+60 00:00")).view("failure_rate").shows(
        {"month": datetime(2026, 1, 1), "failures": 1},
        {"month": datetime(2026, 2, 1), "failures": 1, "down_us": 25 * DAY_US, "exposure_us": 3 * DAY_US},
        {"month": datetime(2026, 3, 1), "failures": 0, "down_us": 5 * DAY_US, "exposure_us": 2_000_000},
    )


def test_what_was_no_incident_was_no_failure():
    given(*failed("INC-41", "09:10", "09:20"), incident("INC-41", IncidentDismissed(reason="benign"))).view(
        "failure_rate"
    ).shows_nothing()
