"""The metric ``dora_changes``, by hand: deployments, those that caused an incident, and those that ended one."""

from datetime import datetime

import pytest

from events.incident import IncidentDismissed
from tests.projections.change_story import caused, deployment, failed, not_so
from tests.spec import given, incident

MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US


def counted(*told, **columns):
    """The only month of checkout."""
    given(*told).view("dora_changes").shows({"service": "checkout", "month": datetime(2026, 1, 1)} | columns)


def test_of_four_deployments_one_failed_and_one_mended_it():
    counted(
        deployment("c1", at="09:00"),
        deployment("c2", at="09:10"),
        *failed("INC-42", "09:12", "09:40"),
        deployment("c3", at="09:30", kind="service.rolledback"),
        deployment("c4", at="10:00"),
        caused("INC-42", "c2", at="10:05"),
        caused("INC-42", "c3", "remedy", at="10:06"),
        deployments=4,
        failed=1,
        rework=1,
        # From the first deployment to what was recorded last, two seconds after 10:06.
        observed_us=66 * MINUTE_US + 2_000_000,
    )


def test_that_it_was_shortly_before_says_nothing():
    counted(deployment("c1", at="09:00"), *failed("INC-42", "09:01", "09:40"), deployments=1, failed=0)


def test_a_deployment_that_caused_two_incidents_failed_once():
    counted(
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:01"),
        *failed("INC-43", "09:02"),
        caused("INC-42", "c1"),
        caused("INC-43", "c1"),
        deployments=1,
        failed=1,
    )


def test_what_is_taken_out_or_was_no_incident_did_not_fail():
    counted(
        deployment("c1", at="09:00"),
        deployment("c2", at="09:00"),
        *failed("INC-42", "09:01"),
        *failed("INC-43", "09:01"),
        caused("INC-42", "c1"),
        caused("INC-43", "c2"),
        not_so("INC-42", "c1"),
        incident("INC-43", IncidentDismissed(reason="false_positive")),
        deployments=2,
        failed=0,
    )


@pytest.mark.parametrize("outcome", ["failed", "started"])
def test_what_caused_an_incident_counts_however_far_it_got(outcome: str):
    counted(
        deployment("c1", at="09:00", outcome=outcome),
        *failed("INC-42", "09:01"),
        caused("INC-42", "c1"),
        deployments=1,
        failed=1,
    )


def test_months_without_a_deployment_are_observed_too():
    given(
        deployment("c1", at="+5 09:00"),
        deployment("c2", at="+60 09:00"),
        deployment("s1", at="+60 09:00", service="search"),
        deployment("n1", at="+60 09:00", service=""),
    ).view("dora_changes").shows(
        {"service": "checkout", "month": datetime(2026, 1, 1), "deployments": 1},
        {"service": "checkout", "month": datetime(2026, 2, 1), "deployments": 0, "observed_us": 28 * DAY_US},
        {"service": "checkout", "month": datetime(2026, 3, 1), "deployments": 1},
        {"service": "search", "month": datetime(2026, 3, 1), "deployments": 1},
        {"service": None, "month": datetime(2026, 3, 1), "deployments": 1},
    )
