"""The completeness ledger on real parts: repeats told before they are acknowledged, and counts that nobody doubles."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from events.ledger import ReceiptsCounted, ReceiptsRepeated
from events.nats_intake import NatsReceipts
from events.nats_log import NatsLog
from events.nats_streams import declare_consumer
from events.receipt import Receipt
from services.clock import SystemClock
from services.intake.counter import Counter
from services.intake.wiring import Intake, attach_intake
from tests.nats_process import NatsProcess
from tests.services.intake.alone import context_of, emptied
from tests.services.intake.stack import Stack, eventually
from tests.spec import empty_warehouse

ROOT = Path(__file__).parents[3]


async def test_every_receipt_ends_as_exactly_one_thing(intake: Stack):
    for _ in range(5):
        await intake.post(intake.hook("json"), {"title": "disk full", "key": "disk"})
    await intake.post(intake.hook("json"), {"title": "disk full", "key": "disk", "state": "resolved"})
    await intake.post(intake.hook("json"), b"\xff\xfe")
    await intake.client.jetstream().publish("intake.backup", b'{"title": "backup failed"}')
    await eventually(intake.is_idle, "every receipt is dealt with")
    assert await Intake(intake.context).counter.count() == 8
    rows = await _ledger(intake.log)
    told = {
        row["source"]: [row[name] for name in ("received", "facts", "duplicates", "refused", "dead")] for row in rows
    }
    assert told == {"json": [7, 2, 4, 1, 0], "backup": [1, 1, 0, 0, 0]}
    assert all(row["unaccounted"] == row["missing"] == 0 for row in rows)


async def test_many_repeats_are_few_facts(intake: Stack):
    story = [{"title": "disk full", "key": f"disk-{number % 10}"} for number in range(300)]
    await asyncio.gather(*(intake.post(intake.hook("json"), told) for told in story))
    await eventually(intake.is_idle, "every receipt is dealt with")
    repeats = [recorded.fact for recorded in await intake.log.read("ledger.repeated")]
    assert sum(fact.count for fact in repeats) == 290
    assert len(repeats) < 60
    assert len(await intake.facts()) == 10


async def test_what_is_delivered_again_after_its_facts_were_stored_is_no_repeat(intake: Stack):
    await intake.post(intake.hook("json"), {"title": "checkout is down"})
    await intake.said("AlertFired")
    receipt = await intake.receipts.get(1)
    assert receipt is not None
    again = await Intake(intake.context).translator.translate([receipt], settled=True)
    assert (again.unusable, again.repeated) == ({}, ())


async def test_copies_that_count_at_once_count_everything_once(intake: Stack):
    for batch in range(4):
        await asyncio.gather(
            *(intake.post(intake.hook("json"), {"title": f"disk {batch}", "key": "disk"}) for _ in range(25))
        )
        await eventually(intake.is_idle, "every receipt is dealt with")
        await asyncio.gather(*(Intake(intake.context).counter.count() for _copy in range(3)))
    stretches = [recorded.fact for recorded in await intake.log.read("ledger.received")]
    assert _is_unbroken(stretches)
    assert sum(count.received for stretch in stretches for count in stretch.sources) == 100
    assert [row["unaccounted"] for row in await _ledger(intake.log)] == [0]


async def test_nothing_is_counted_before_it_is_dealt_with(intake: Stack):
    for number in range(30):
        await intake.post(intake.hook("json"), {"title": f"disk {number}"})
    await eventually(intake.is_idle, "every receipt is dealt with")
    through = 12

    async def dealt_with() -> int:
        return through

    counter = _counter(intake, dealt_with)
    assert await counter.count() == 12
    through = 30
    assert await counter.count() == 30
    assert _is_unbroken([recorded.fact for recorded in await intake.log.read("ledger.received")])


async def test_positions_that_intake_lost_are_told(intake: Stack):
    for number in range(10):
        await intake.post(intake.hook("json"), {"title": f"disk {number}"})
    await eventually(intake.is_idle, "every receipt is dealt with")
    for seq in (4, 5, 10):
        await intake.client.jetstream().delete_msg("INTAKE", seq)
    await Intake(intake.context).counter.count()
    (row,) = [row for row in await _ledger(intake.log) if row["source"] == ""]
    assert row["missing"] == 3


async def test_what_an_earlier_version_received_is_not_in_the_ledger(intake_nats: NatsProcess, tmp_path: Path):
    client = await emptied(intake_nats.url)
    context = await context_of(intake_nats.url, tmp_path)
    try:
        counter = Intake(context).counter
        await counter.begin(700)
        await counter.begin(900)
        (begun,) = await context.log.read("ledger.received")
        assert isinstance(begun.fact, ReceiptsCounted)
        assert (begun.fact.last_seq, begun.fact.is_before) == (700, True)
    finally:
        await context.client.close()
        await client.close()


async def test_a_kill_between_telling_repeats_and_acknowledging_them_loses_and_doubles_nothing(
    intake_nats: NatsProcess, tmp_path: Path
):
    client = await emptied(intake_nats.url)
    js, log, receipts = client.jetstream(), NatsLog(client), NatsReceipts(client)
    for number in range(40):
        body = msgspec.json.encode({"title": "disk full", "key": f"disk-{number % 4}"})
        await receipts.put(Receipt(source="json", integration="key-json", received_at=SystemClock().now(), body=body))
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _KILLED_BEFORE_IT_ACKNOWLEDGES, intake_nats.url, str(tmp_path), cwd=ROOT
    )
    assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL
    before = [recorded.fact for recorded in await log.read("ledger.repeated")]
    assert sum(fact.count for fact in before if isinstance(fact, ReceiptsRepeated)) == 36, "they were told"
    assert (await js.consumer_info("INTAKE", "intake")).num_ack_pending >= 36, "and not acknowledged"
    context = await context_of(intake_nats.url, tmp_path)
    intake = await attach_intake(context, repeats_age_s=0.05)
    # The server gives them to the next copy once it takes them for lost.
    await declare_consumer(js, stream="INTAKE", durable="intake", filter_subjects=["intake.>"], ack_wait_s=0.5)
    await context.broker.start()
    try:

        async def is_counted() -> bool:
            return await intake.counter.count() == 40

        await eventually(is_counted, "every receipt is delivered again, dealt with and counted")
    finally:
        await context.broker.stop()
        await context.client.close()
    (row,) = await _ledger(log)
    assert (row["received"], row["unaccounted"]) == (40, 0)
    assert row["facts"] + row["duplicates"] == 40
    await client.close()


async def test_a_kill_of_the_counter_leaves_no_gap(intake: Stack):
    class Killed(BaseException):
        """As the process ends after the append, before anything else."""

    class DyingLog(NatsLog):
        async def append(self, *writes: Any) -> int:
            await super().append(*writes)
            raise Killed

    for number in range(20):
        await intake.post(intake.hook("json"), {"title": f"disk {number}"})
    await eventually(intake.is_idle, "every receipt is dealt with")
    for _ in range(3):
        try:
            await _counter(intake, None, log=DyingLog(intake.client)).count()
        except Killed:
            await intake.post(intake.hook("json"), {"title": "one more"})
            await eventually(intake.is_idle, "every receipt is dealt with")
    await Intake(intake.context).counter.count()
    stretches = [recorded.fact for recorded in await intake.log.read("ledger.received")]
    assert _is_unbroken(stretches)
    assert sum(count.received for stretch in stretches for count in stretch.sources) == 23


def _counter(intake: Stack, dealt_with: Any, *, log: NatsLog | None = None) -> Counter:
    whole = Intake(intake.context).counter
    return Counter(
        log or intake.log,
        whole._read,
        dealt_with or whole._dealt_with_through,
        intake.context.clock.now,
    )


def _is_unbroken(stretches: list[Any]) -> bool:
    through = 0
    for stretch in stretches:
        if stretch.first_seq != through + 1:
            return False
        through = stretch.last_seq
    return True


async def _ledger(log: NatsLog) -> list[dict[str, Any]]:
    """The rows of ``intake_ledger``, out of the log as it is."""
    position = await log.last_position()
    stored = [one async for batch in log.bulk(after=0, through=position) for one in batch]
    with empty_warehouse() as warehouse:
        warehouse.apply(stored)
        return warehouse.ask("select * from intake_ledger order by all").dicts()


_KILLED_BEFORE_IT_ACKNOWLEDGES = """
import asyncio, os, signal, sys
from pathlib import Path
from services.intake import repeats
from services.intake.wiring import attach_intake
from tests.services.intake.alone import context_of

appended = repeats.Repeats._append

async def die(self, fact):
    await appended(self, fact)
    if fact.count >= 36:
        os.kill(os.getpid(), signal.SIGKILL)

repeats.Repeats._append = die

async def main():
    context = await context_of(sys.argv[1], Path(sys.argv[2]))
    await attach_intake(context, repeats_age_s=1.0)
    await context.broker.start()
    await asyncio.sleep(50)

asyncio.run(main())
"""
