"""What is known of alerts without asking about each is what asking about each gives."""

from datetime import UTC, datetime

import pytest

from events import NOTHING, Event, Write
from events.alert import AlertCleared, AlertFired
from events.memory_log import MemoryLog
from services.incidents.recent import ALERTS_MIN, RecentAlerts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = [f"key{number}" for number in range(ALERTS_MIN)]


async def say(log: MemoryLog, key: str, number: int) -> int:
    """An alert fires, or clears when it fires already."""
    last = await log.last(f"alert.{key}")
    fact = AlertCleared()
    if last is None or isinstance(last.fact, AlertCleared):
        fact = AlertFired(
            integration="key-a", sender="json", fingerprint=key, occurrence=number, title=key, severity="error"
        )
    event = Event(id=f"{key}-{number}", fact=fact, happened_at=NOON, source="recount/test")
    return await log.append(Write(f"alert.{key}", last.seq if last else NOTHING, (event,)))


async def each_alone(log: MemoryLog, after: dict[str, int]) -> dict[str, list]:
    return {key: await log.read(f"alert.{key}", after=position) for key, position in after.items()}


async def test_it_hears_what_was_said_since_the_last_question():
    log = MemoryLog(lambda: NOON)
    recent = RecentAlerts(log)
    after = {key: await say(log, key, 1) - 1 for key in KEYS}
    assert await recent.since(after) == await each_alone(log, after)
    await say(log, KEYS[0], 2)
    assert await recent.since(after) == await each_alone(log, after)


async def test_an_alert_that_is_older_than_what_is_kept_is_left_to_be_asked_about(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.incidents.recent.FACTS_KEPT_MAX", ALERTS_MIN)
    log = MemoryLog(lambda: NOON)
    recent = RecentAlerts(log)
    before = {key: await say(log, key, 1) - 1 for key in KEYS}
    await recent.since(before)
    after = {key: await say(log, key, 2) - 1 for key in KEYS[:4]}
    found = await recent.since(before | after)
    assert found == await each_alone(log, {key: (before | after)[key] for key in found})
    assert set(found) == set(KEYS[:4]) | {key for key in KEYS[4:] if before[key] >= 4}


async def test_nothing_is_told_after_a_long_pause_until_it_begins_anew():
    log = MemoryLog(lambda: NOON)
    recent = RecentAlerts(log)
    old = {key: await say(log, key, 1) - 1 for key in KEYS}
    for number in range(ALERTS_MIN * 20):
        await say(log, "other", number)
    assert await recent.since(old) == {}
    new = {key: await say(log, key, 2) - 1 for key in KEYS}
    assert await recent.since(new) == await each_alone(log, new)
    assert await recent.since(old) == {}
