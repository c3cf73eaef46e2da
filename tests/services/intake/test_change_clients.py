"""Public clients that tell of changes, pointed here."""

import asyncio
import json
from pathlib import Path

import pagerduty
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from events.alert import AlertFired
from events.change import ChangeRecorded
from tests.services.intake.stack import Stack

CDEVENTS = Path(__file__).parents[2] / "adapters" / "cdevents"


async def test_the_pagerduty_client_tells_of_changes_with_the_key_of_its_alerts(intake: Stack):
    class WithoutTls(pagerduty.EventsApiV2Client):
        """The client insists on https, which a proxy in front of intake ends."""

        url = ""

    def talk() -> None:
        with WithoutTls(intake.secrets["pagerduty"], base_url=intake.url) as client:
            client.send_change_event(
                {
                    "summary": "Build Success: Increase snapshot create timeout to 30 seconds",
                    "source": "acme-build-pipeline",
                    "custom_details": {"service": "checkout", "build_number": 2},
                },
                links=[{"href": "https://acme.pagerduty.dev/build/2", "text": "View more details"}],
            )

    await asyncio.to_thread(talk)
    (fact,) = await intake.said("ChangeRecorded", category="change")
    assert isinstance(fact, ChangeRecorded)
    assert (fact.service, fact.integration, fact.sender) == ("checkout", "key-pagerduty", "pagerduty_change")
    assert fact.url == "https://acme.pagerduty.dev/build/2"
    receipt = await intake.receipts.get(fact.receipt_seq)
    assert receipt is not None
    assert intake.secrets["pagerduty"].encode() not in receipt.body

    told = {"routing_key": intake.secrets["pagerduty"], "payload": {"source": "x"}}
    refused = await intake.post("/v2/change/enqueue", told)
    assert refused.status_code == 400
    assert refused.json()["errors"] == ["'payload.summary' is missing or blank"]
    other = await intake.post("/v2/change/enqueue", told | {"routing_key": intake.secrets["json"]})
    assert (other.status_code, other.json()["errors"]) == (400, ["Invalid routing key"])


async def test_cdevents_come_as_cloudevents_of_every_mode(intake: Stack):
    detected, deployed = (
        json.loads((CDEVENTS / f"{name}.payload").read_text()) for name in ("incident_detected", "service_deployed")
    )

    def event(data: dict) -> CloudEvent:
        context = data["context"]
        attributes = {"id": context["id"], "source": context["source"], "type": context["type"], "specversion": "1.0"}
        return CloudEvent(attributes=attributes | {"datacontenttype": "application/json"}, data=data)

    for message in (to_binary_event(event(detected)), to_structured_event(event(deployed))):
        answer = await intake.http.post(intake.hook("cdevents"), content=message.body, headers=message.headers)
        assert (answer.status_code, answer.content) == (202, b"")
    batch = [json.loads(to_structured_event(event(data)).body) for data in (detected, deployed)]
    answer = await intake.post(intake.hook("cdevents"), batch, content_type="application/cloudevents-batch+json")
    assert answer.status_code == 202

    (fired,) = await intake.said("AlertFired")
    assert isinstance(fired, AlertFired)
    assert (fired.fingerprint, fired.service) == ("/monitoring/prod1 incident-123", "myApp")
    (change,) = await intake.said("ChangeRecorded", category="change")
    assert isinstance(change, ChangeRecorded)
    assert (change.kind, change.environment) == ("service.deployed", "test123")
