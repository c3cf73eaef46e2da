"""Public clients of the senders' own APIs, pointed here."""

import asyncio
from datetime import UTC, datetime

import pagerduty
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.services.intake.stack import Stack


async def test_the_pagerduty_client_triggers_acknowledges_and_resolves(intake: Stack):
    class WithoutTls(pagerduty.EventsApiV2Client):
        """The client insists on https, which a proxy in front of intake ends."""

        url = ""

    def talk() -> tuple[str, str]:
        client = WithoutTls(intake.secrets["pagerduty"], base_url=intake.url)
        with client:
            given = client.trigger(
                "checkout answers 500",
                "lb-1.example.org",
                dedup_key="checkout-5xx",
                severity="error",
                custom_details={"service": "checkout", "rate": 0.31},
                links=[{"href": "https://runbooks.example.org/checkout", "text": "runbook"}],
                images=[{"src": "https://graphs.example.org/checkout.png"}],
            )
            client.acknowledge("checkout-5xx")
            client.resolve("checkout-5xx")
            made_up = client.trigger("disk full", "db-1.example.org")
            client.resolve(made_up)
            return given, made_up

    given, made_up = await asyncio.to_thread(talk)
    told = await intake.said("AlertFired", "AlertAcknowledged", "AlertCleared", "AlertFired", "AlertCleared")
    fired, second = told[0], told[3]
    assert (fired.fingerprint, second.fingerprint) == (given, made_up)
    assert (fired.severity, fired.service) == ("error", "checkout")
    assert fired.annotations["custom_rate"] == "0.31"
    assert "runbook" in fired.annotations["link_1"]
    assert "checkout.png" in fired.annotations["image_1"]


async def test_what_the_cloudevents_library_writes_is_understood(intake: Stack):
    attributes = {
        "id": "evt-1",
        "source": "/monitoring/eu",
        "type": "org.example.checkout.failing",
        "specversion": "1.0",
        "time": datetime(2026, 3, 1, 14, 2, 3, tzinfo=UTC),
        "subject": "Kasse für Käufer 100 %",
        "datacontenttype": "application/json",
    }
    data = {"severity": "critical", "service": "checkout", "title": "checkout answers 500"}
    binary = to_binary_event(CloudEvent(attributes=attributes, data=data))
    answer = await intake.http.post(intake.hook("cloudevents"), content=binary.body, headers=binary.headers)
    assert (answer.status_code, answer.content) == (202, b"")
    resolved = {**attributes, "id": "evt-2", "time": datetime(2026, 3, 1, 14, 9, tzinfo=UTC)}
    structured = to_structured_event(CloudEvent(attributes=resolved, data={**data, "state": "resolved"}))
    answer = await intake.http.post(intake.hook("cloudevents"), content=structured.body, headers=structured.headers)
    assert answer.status_code == 202
    fired, _cleared = await intake.said("AlertFired", "AlertCleared")
    assert (fired.title, fired.severity, fired.service) == ("checkout answers 500", "critical", "checkout")
    assert fired.labels["ce_subject"] == "Kasse für Käufer 100 %"


async def test_cloudevents_kinds_are_told_apart_and_the_unknown_is_415(intake: Stack):
    event = {"specversion": "1.0", "id": "1", "source": "/disk", "type": "org.example.disk.full"}
    hook = intake.hook("cloudevents")
    batch = "application/cloudevents-batch+json"
    assert (await intake.post(hook, [event, event], content_type=f"{batch}; charset=utf-8")).status_code == 202
    assert (await intake.post(hook, [], content_type=batch)).status_code == 202
    assert (await intake.post(hook, event, content_type="application/cloudevents+json")).status_code == 202
    assert (await intake.post(hook, event, content_type="application/cloudevents+avro")).status_code == 415
    assert (await intake.post(hook, [event], content_type="application/cloudevents-batch+xml")).status_code == 415
    assert (await intake.post(hook, event, content_type="application/json")).status_code == 415
    assert (await intake.post(hook, b"x", ce_specversion="1.0", ce_id="1")).status_code == 400
    assert (await intake.post(hook, [event], content_type="application/cloudevents+json")).status_code == 400
    await intake.said("AlertFired")
    await intake.said(*["DeadLetterRecorded"] * 5, category="deadletter")


async def test_overlong_utf_8_in_a_header_is_rejected(intake: Stack):
    named = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/disk", "ce_type": "t"}
    answer = await intake.post(intake.hook("cloudevents"), b"", **named, ce_subject="%C0%A0")
    assert answer.status_code == 400
    assert "ce-subject" in answer.json()["because"]


async def test_a_webhook_sender_may_ask_first(intake: Stack):
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    answer = await intake.http.options(intake.hook("cloudevents"), headers=asked)
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert answer.headers["allow"] == "POST"
    answer = await intake.http.options("/hooks/cloudevents/unknown", headers=asked)
    assert answer.status_code == 401
