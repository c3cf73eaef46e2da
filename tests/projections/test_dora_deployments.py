"""The view ``dora_deployments``: which changes are deployments, and what is said of them."""

import pytest

from events.incident import IncidentDismissed, IncidentMerged, IncidentUnmerged
from tests.projections.change_story import caused, deployment, failed
from tests.spec import given, incident, moment


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
