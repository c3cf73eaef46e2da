"""DORA's counts, by hand: what is a deployment, and what is said of it; ``dora_deployments`` and ``dora_changes``."""

from datetime import datetime

import pytest

from events.incident import IncidentDismissed, IncidentMerged, IncidentUnmerged
from tests.projections.change_story import caused, deployment, failed, not_so
from tests.spec import given, incident, moment

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


def test_what_is_said_of_a_merged_incident_counts_with_the_one_that_carries_it_on():
    story = given(
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:01"),
        *failed("INC-43", "09:02"),
        caused("INC-43", "c1"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42")),
        incident("INC-42", IncidentDismissed(reason="benign")),
        incident("INC-43", IncidentUnmerged(from_incident_id="INC-42")),
    )
    story.view("dora_deployments", as_of=5).shows({"failed": True})
    story.view("dora_deployments", as_of=6).shows({"failed": False})
    story.view("dora_deployments").shows({"failed": True})


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({}, None),
        ({"environment": "production"}, None),
        ({"environment": "Prod-EU-1"}, None),
        ({"environment": "live"}, None),
        ({"environment": "staging"}, "not production: staging"),
        ({"environment": "pre-prod"}, "not production: pre-prod"),
        ({"outcome": "failed"}, "did not get there"),
        ({"outcome": "started"}, "not finished"),
        ({"outcome": ""}, None),
    ],
    ids=str,
)
def test_what_did_not_get_into_production_is_not_counted(fields: dict[str, str], because: str | None):
    given(deployment("c1", at="09:00", **fields)).view("dora_deployments").shows({"excluded_because": because})


@pytest.mark.parametrize("outcome", ["failed", "started"])
def test_what_caused_an_incident_counts_however_far_it_got(outcome: str):
    counted(
        deployment("c1", at="09:00", outcome=outcome),
        *failed("INC-42", "09:01"),
        caused("INC-42", "c1"),
        deployments=1,
        failed=1,
    )


@pytest.mark.parametrize(
    ("kind", "sender", "count"),
    [
        ("service.upgraded", "cdevents", 1),
        ("targetrollout", "cdevents", 1),
        ("change event", "pagerduty_change", 1),
        ("environment.modified", "cdevents", 0),
        ("change.merged", "cdevents", 0),
        ("migration", "cdevents", 0),
    ],
)
def test_some_kinds_of_changes_are_deployments(kind: str, sender: str, count: int):
    shown = given(deployment("c1", at="09:00", kind=kind, sender=sender)).view("dora_deployments")
    assert len(shown.rows) == count


def test_a_deployment_counts_when_it_was_done_and_once():
    given(
        deployment("c1", at="09:20"),
        deployment("c1", at="09:00", outcome="started"),
    ).view("dora_deployments").shows({"deployed_at": moment("09:20"), "excluded_because": None})


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
