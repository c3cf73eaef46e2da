"""PagerDuty's own client from PyPI works with nothing changed but its address and its routing key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pagerduty import EventsApiV2Client

from tests.e2e.deployment import Deployment
from tests.e2e.https import https_before


@pytest.fixture
def client(deployment: Deployment, tmp_path: Path) -> Iterator[EventsApiV2Client]:
    """The client, which takes no address but https."""
    with (
        https_before(deployment.platform.intake_url, tmp_path) as (url, trust),
        EventsApiV2Client(deployment.platform.keys["pagerduty"], base_url=url, verify=trust) as client,
    ):
        yield client


def test_the_public_client_triggers_acknowledges_and_resolves(deployment: Deployment, client: EventsApiV2Client):
    key = client.trigger(
        "checkout answers 500",
        "checkout-7.example.org",
        severity="critical",
        payload={"component": "checkout"},
    )
    assert key
    (alert,) = deployment.rows("select title, state, service, fingerprint from alerts where incident_id is not null")
    assert alert == {
        "title": "checkout answers 500",
        "state": "firing",
        "service": "checkout",
        "fingerprint": key,
    }
    assert client.trigger("checkout answers 500", "checkout-7.example.org", dedup_key=key, severity="critical") == key

    assert client.acknowledge(key) == key
    deployment.rows("select 1 from alerts where state = 'acknowledged'")
    assert client.resolve(key) == key
    deployment.rows("select 1 from alerts where state = 'cleared'")

    assert deployment.sql("select count(*) as incidents, sum(alert_count)::integer as alerts from incidents") == [
        {"incidents": 1, "alerts": 1}
    ]
    assert deployment.differences() == []
