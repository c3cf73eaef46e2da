"""A 2xx means that the payload is on disk, and each payload is told exactly once, whatever happens in between."""

import asyncio
from collections import defaultdict
from pathlib import Path

import msgspec

from events.alert import AlertCleared, AlertClearedUnseen, AlertFired, AlertUpdated
from events.nats_streams import declare_consumer
from services.command import Done
from services.intake.adapters import json as json_adapter
from services.intake.commands import Replay
from services.intake.wiring import Intake
from tests.nats_process import NatsProcess
from tests.services.intake.stack import Stack, eventually, running


async def test_when_too_many_wait_the_rest_are_asked_to_come_back(intake_nats: NatsProcess, tmp_path: Path):
    async with running(intake_nats.url, tmp_path, queue_max=20) as stack:
        posts = [stack.post(stack.hook("json"), {"title": f"disk {number} full"}) for number in range(200)]
        answers = await asyncio.gather(*posts)
        taken = [answer for answer in answers if answer.status_code == 202]
        busy = [answer for answer in answers if answer.status_code == 503]
        assert len(taken) + len(busy) == 200
        assert taken
        assert busy
        assert all(answer.headers["retry-after"] == "2" for answer in busy)
        assert await stack.receipt_count() == len(taken)


async def test_while_the_log_is_away_senders_are_told_and_afterwards_all_is_well(tmp_path: Path):
    nats = NatsProcess(tmp_path).start()
    try:
        async with running(nats.url, tmp_path) as stack:
            assert (await stack.post(stack.hook("json"), {"title": "before"})).status_code == 202
            await stack.said("AlertFired")
            nats.kill()

            async def is_away() -> bool:
                return (await stack.http.get("/healthz")).status_code == 503

            await eventually(is_away, "health says that the log is away")
            answer = await stack.post(stack.hook("json"), {"title": "meanwhile"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            answer = await stack.post("/v2/enqueue", {"routing_key": stack.secrets["pagerduty"]})
            assert answer.status_code == 503
            nats.start()

            async def is_taken() -> bool:
                return (await stack.post(stack.hook("json"), {"title": "afterwards"})).status_code == 202

            await eventually(is_taken, "requests are taken again")
            await stack.said("AlertFired", "AlertFired")
            assert {recorded.fact.title for recorded in await stack.facts()} == {"before", "afterwards"}
    finally:
        nats.stop()


async def test_two_translators_tell_every_change_once_also_when_all_is_delivered_again(
    intake_nats: NatsProcess, tmp_path: Path
):
    async with running(intake_nats.url, tmp_path, copies=2) as stack:
        story = [
            {"title": f"disk {number} full", "key": f"disk-{number}", "state": state}
            for state in ("firing", "firing", "acknowledged", "resolved", "firing")
            for number in range(20)
        ]
        for change in story:
            assert (await stack.post(stack.hook("json"), change)).status_code == 202
        await eventually(stack.is_idle, "every receipt is dealt with")
        told = await stack.names()
        by_alert = defaultdict(list)
        for recorded in await stack.facts():
            by_alert[recorded.stream].append(recorded.fact)
        assert len(by_alert) == 20
        for facts in by_alert.values():
            fired = [fact for fact in facts if isinstance(fact, AlertFired)]
            assert isinstance(facts[-1], AlertFired | AlertUpdated), "at the end it fires"
            # What waits in one copy until the other has told the last firing is old news, and so may its end be; an
            # acknowledgement that overtakes its firing is forgotten rather than invented.
            if fired[0].receipt_seq <= 80:
                assert len(fired) == 2
                assert sum(isinstance(fact, AlertCleared | AlertClearedUnseen) for fact in facts) in (1, 2)
            else:
                assert len(fired) == 1
        js = stack.client.jetstream()
        await js.delete_consumer("INTAKE", "intake")
        await declare_consumer(js, stream="INTAKE", durable="intake", filter_subjects=["intake.>"])
        await eventually(stack.is_idle, "every receipt is delivered again")
        assert [name for name in await stack.names() if name != "AlertUpdated"] == [
            name for name in told if name != "AlertUpdated"
        ]


async def test_a_poisoned_receipt_does_not_stop_the_others(intake: Stack):
    posts = [intake.post(intake.hook("json"), {"title": f"disk {number} full"}) for number in range(20)]
    posts.insert(10, intake.post(intake.hook("json"), b"\xff\xfe"))
    await asyncio.gather(*posts)
    await intake.said(*["AlertFired"] * 20)
    await intake.said("DeadLetterRecorded", category="deadletter")


async def test_a_dead_letter_becomes_an_alert_once_its_adapter_is_repaired(intake: Stack, monkeypatch):
    await intake.post(intake.hook("json"), b'{"titel": "checkout is down"}')
    await intake.said("DeadLetterRecorded", category="deadletter")
    (recorded,) = await intake.facts("deadletter")
    identifier = recorded.stream.partition(".")[2]

    class Repaired(json_adapter.Alert, frozen=True, kw_only=True):
        title: str = msgspec.field(default="", name="titel")

    monkeypatch.setattr(json_adapter, "_DECODER", msgspec.json.Decoder(Repaired | list[Repaired]))
    done = await intake.order(Replay(dead_letter_id=identifier))
    assert isinstance(done, Done)
    assert done.message == "It was handled."
    (fired,) = await intake.said("AlertFired")
    assert fired.title == "checkout is down"
    again = await intake.order(Replay(dead_letter_id=identifier))
    assert isinstance(again, Done)
    assert again.seq == 0
    await intake.said("DeadLetterRecorded", "DeadLetterReplayed", category="deadletter")
    await intake.said("AlertFired")


async def test_producers_on_nats_need_no_key_of_ours(intake: Stack):
    js = intake.client.jetstream()
    await js.publish("intake.backup-script", b'{"title": "backup failed", "severity": "error", "service": "db"}')
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/backup",
        "type": "org.example.backup.failed",
        "subject": "db",
        "data": {"severity": "critical"},
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    claimed = {"Recount-Key": "key-alertmanager"}
    await js.publish("intake.backup-script", msgspec.json.encode(event), headers=headers | claimed)
    await js.publish(
        "intake.other",
        b"{}",
        headers={"ce-specversion": "1.0", "ce-id": "2", "ce-source": "/other", "ce-type": "org.example.down"},
    )
    first, second, third = await intake.said("AlertFired", "AlertFired", "AlertFired")
    assert (first.integration, first.sender, first.service) == ("nats", "json", "db")
    assert (second.sender, second.title, second.severity) == ("cloudevents", "db", "critical")
    assert second.integration == "nats", "a producer cannot claim to be an integration"
    assert third.title == "org.example.down"
    await js.publish("intake.broken", b"not JSON")
    (letter,) = await intake.said("DeadLetterRecorded", category="deadletter")
    assert letter.source_subject == "intake.broken"


async def test_what_was_handled_but_not_acknowledged_is_told_once(intake: Stack):
    """As after a crash between the append and the acknowledgement."""
    await intake.post(intake.hook("json"), {"title": "checkout is down"})
    await intake.said("AlertFired")
    receipt = await intake.receipts.get(1)
    assert receipt is not None
    crashed = Intake(intake.context)
    for settled in (True, False):
        assert await crashed.translator.handle([receipt, receipt], settled=settled) == {}
    await intake.said("AlertFired")
