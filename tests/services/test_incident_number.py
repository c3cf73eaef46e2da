"""The next free incident number, found by few looks."""

from datetime import UTC, datetime

from events import NOTHING, Event, Recorded, Write
from events.incident import IncidentDeclared, IncidentOpened
from events.memory_log import MemoryLog
from services.incident_number import next_number

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class CountingLog(MemoryLog):
    """A log that counts how often a stream was looked at."""

    looks = 0

    async def last(self, stream: str) -> Recorded | None:
        self.looks += 1
        return await super().last(stream)


async def begin(log: MemoryLog, *numbers: int) -> None:
    """Open these incidents."""
    for number in numbers:
        opened = IncidentOpened(title="checkout is down", severity="sev2")
        event = Event(id=f"opened-{number}", fact=opened, happened_at=NOON, source="recount/test")
        await log.append(Write(f"incident.INC-{number}", NOTHING, (event,)))


async def declare(log: MemoryLog, number: int) -> None:
    """Declare one that is there."""
    past = (await log.read(f"incident.INC-{number}"))[-1]
    declared = IncidentDeclared(title="checkout is down", severity="sev2")
    event = Event(id=f"declared-{number}", fact=declared, happened_at=NOON, source="recount/test")
    await log.append(Write(past.stream, past.seq, (event,)))


async def test_the_first_incident_is_number_one():
    assert await next_number(MemoryLog(lambda: NOON)) == 1


async def test_the_next_one_follows_the_highest():
    log = MemoryLog(lambda: NOON)
    await begin(log, 1, 2, 3)
    assert await next_number(log) == 4


async def test_the_last_one_recorded_need_not_be_the_highest():
    log = CountingLog(lambda: NOON)
    # Numbers are given in order; here the highest were recorded first, so that the log's last ones are low.
    await begin(log, *range(1_000, 0, -1))
    await declare(log, 5)
    assert await next_number(log) == 1_001
    assert log.looks < 30
