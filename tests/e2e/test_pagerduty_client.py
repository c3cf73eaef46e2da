"""PagerDuty's own client from PyPI works with nothing changed but its address and its routing key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pagerduty import EventsApiV2Client

from tests.e2e.https import https_before
from tests.e2e.platform import Platform


@pytest.fixture
def client(platform: Platform, tmp_path: Path) -> Iterator[EventsApiV2Client]:
    """The client, which takes no address but https."""
    with (
        https_before(platform.said["intake_url"], tmp_path) as (url, trust),
        EventsApiV2Client(platform.said["keys"]["pagerduty"], base_url=url, verify=trust) as client,
    ):
        yield client


def test_the_public_client_triggers_acknowledges_and_resolves(platform: Platform, client: EventsApiV2Client):
    key = client.trigger(
        "checkout answers 500",
        "checkout-7.example.org",
        severity="critical",
        payload={"component": "checkout"},
    )
    assert key
    (alert,) = platform.rows("select title, state, service, fingerprint from alerts where incident_id is not null")
    assert alert == {
        "title": "checkout answers 500",
        "state": "firing",
        "service": "checkout",
        "fingerprint": key,
    }
    assert client.trigger("checkout answers 500", "checkout-7.example.org", dedup_key=key, severity="critical") == key

    assert client.acknowledge(key) == key
    platform.rows("select 1 from alerts where state = 'acknowledged'")
    assert client.resolve(key) == key
    platform.rows("select 1 from alerts where state = 'cleared'")

    assert platform.sql("select count(*) as incidents, sum(alert_count)::integer as alerts from incidents") == [
        {"incidents": 1, "alerts": 1}
    ]
    assert platform.differences() == []
