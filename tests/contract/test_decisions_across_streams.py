"""A write may rest on another stream: it is stored only while that one has not changed. Asked of each log."""

from datetime import UTC, datetime

import pytest

from events import NOTHING, Conflict, Event, EventLog, Write
from events.escalation import LevelReached
from events.incident import IncidentAcknowledged, IncidentDeclared
from events.page import PageRequested

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(identifier: str, fact) -> Event:
    return Event(id=identifier, fact=fact, happened_at=NOON, source="recount/test")


DECLARED = event("declared", IncidentDeclared(title="checkout is down", severity="sev1"))
ACKNOWLEDGED = event("acknowledged", IncidentAcknowledged())
REACHED = event("reached", LevelReached(run=1, round=0, level=1, page_ids=("page-1",), next_at=NOON))
PAGED = event(
    "paged",
    PageRequested(
        incident_id="INC-42", person_id="per-ada", run=1, round=0, level=1, answer_within_s=300, target="person.per-ada"
    ),
)


def level_one(incident_version: int) -> tuple[Write, Write]:
    return (
        Write("escalation.INC-42", NOTHING, (REACHED,)),
        Write("page.page-1", incident_version, (PAGED,), rests_on="incident.INC-42"),
    )


async def test_a_decision_is_stored_while_the_stream_that_it_rests_on_stands_still(log: EventLog):
    version = await log.append(Write("incident.INC-42", NOTHING, (DECLARED,)))
    position = await log.append(*level_one(version))
    assert position == version + 2
    assert [recorded.fact for recorded in await log.read("page.page-1")] == [PAGED.fact]


async def test_a_decision_is_refused_when_the_stream_that_it_rests_on_has_moved(log: EventLog):
    version = await log.append(Write("incident.INC-42", NOTHING, (DECLARED,)))
    moved = await log.append(Write("incident.INC-42", version, (ACKNOWLEDGED,)))
    with pytest.raises(Conflict, match=rf"incident\.INC-42 was last written at position {moved}, not {version}"):
        await log.append(*level_one(version))
    assert await log.read("escalation.INC-42") == []
    assert await log.read("page.page-1") == []


async def test_one_event_alone_may_rest_on_another_stream(log: EventLog):
    version = await log.append(Write("incident.INC-42", NOTHING, (DECLARED,)))
    _level, page = level_one(version)
    assert await log.append(page) == version + 1
    with pytest.raises(Conflict):
        await log.append(Write("page.page-2", NOTHING, (event("again", PAGED.fact),), rests_on="incident.INC-42"))


async def test_such_an_append_that_meets_itself_succeeds_and_writes_nothing(log: EventLog):
    version = await log.append(Write("incident.INC-42", NOTHING, (DECLARED,)))
    first = await log.append(*level_one(version))
    assert await log.append(*level_one(version)) == first
    assert await log.last_position() == first
