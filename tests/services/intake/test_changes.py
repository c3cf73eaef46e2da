"""Changes become facts of their own, once however often they are told."""

from datetime import UTC, datetime

import msgspec

from events import NOTHING, Event, Write
from events.audit import KeyCreated
from events.change import ChangeRecorded
from events.memory_log import MemoryLog
from events.receipt import Receipt
from services.intake.changes import Changes
from services.intake.keys import Keys
from services.intake.signal import Change
from services.intake.translator import Translator

AT = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
BODY = b"""{"context": {"id": "e-%d", "source": "/ci", "type": "dev.cdevents.deployment.%s.0.1.0",
 "timestamp": "2026-03-01T14:0%d:00Z"}, "subject": {"id": "d-41", "content": {"environment": {"id": "production"},
 "artifactId": "pkg:oci/checkout@1.4", "outcome": "failure"}}}"""


def receipt(seq: int, body: bytes, *, sender: str = "cdevents") -> Receipt:
    return Receipt(
        seq=seq,
        source=sender,
        integration=f"key-{sender}",
        received_at=AT,
        content_type="application/json",
        body=body,
    )


async def told(*receipts: Receipt) -> tuple[list[ChangeRecorded], dict[int, Exception]]:
    log = MemoryLog(lambda: AT)
    key = KeyCreated(sender="pagerduty_change", secret_sha256="0" * 64, service="shop")
    await log.append(
        Write("key.key-pagerduty_change", NOTHING, (Event(id="k1", fact=key, happened_at=AT, source="test"),))
    )
    keys = Keys(log)
    await keys.refresh()
    translator = Translator(log, keys, {Change: Changes(log, keys)})
    unusable: dict[int, Exception] = {}
    for each in receipts:
        unusable |= await translator.handle([each], settled=True)
    facts = [recorded.fact for recorded in await log.read_category("change")]
    return [fact for fact in facts if isinstance(fact, ChangeRecorded)], unusable


async def test_a_deployment_that_gets_further_is_one_change_with_two_facts():
    started, finished = BODY % (1, b"started", 1), BODY % (2, b"finished", 4)
    facts, unusable = await told(receipt(1, started), receipt(2, finished), receipt(2, finished), receipt(3, started))
    assert not unusable
    assert [(fact.outcome, fact.receipt_seq) for fact in facts] == [("started", 1), ("failed", 2)]
    assert {(fact.service, fact.environment, fact.version) for fact in facts} == {("checkout", "production", "1.4")}
    assert len({fact.external_id for fact in facts}) == 1


async def test_a_change_without_a_service_is_about_that_of_its_key():
    body = b'{"routing_key": "k", "payload": {"summary": "flag checkout-v2 on", "source": "flags"}}'
    facts, _unusable = await told(
        receipt(1, body, sender="pagerduty_change"), receipt(2, body, sender="pagerduty_change")
    )
    assert [(fact.title, fact.service) for fact in facts] == [("flag checkout-v2 on", "shop")] * 2, (
        "without a time of its own nothing says that it is the same change"
    )


async def test_a_change_as_large_as_a_payload_still_fits_into_a_fact():
    details = {f"detail_{number}": "x" * 5_000 for number in range(80)}
    payload = {
        "summary": "big",
        "timestamp": "2026-03-01T14:00:00Z",
        "custom_details": details | {"version": "v" * 999},
    }
    facts, unusable = await told(receipt(1, msgspec.json.encode({"payload": payload}), sender="pagerduty_change"))
    assert not unusable
    assert len(facts) == 1
