"""Groups whose incidents were merged: who has their alerts when two take them at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from events import EventLog
from events.group import GroupAssigned
from services.clock import FakeClock
from services.incidents.grouping import group_key
from services.incidents.service import Incidents
from tests.services.incidents.alerts import People, fired, happens


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 1, 14, 0, tzinfo=UTC))


async def test_a_root_that_is_reopened_meets_a_third_incident_that_takes_the_group_of_a_merged_one(
    log: EventLog, clock: FakeClock
):
    incidents = Incidents(log, clock)
    people = People(incidents, clock)
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await people.do("declare", title="the database is down", severity="sev1", service="database")
    await people.do("merge", "INC-1", into_incident_id="INC-2", reason="same cause")
    await people.do("resolve", "INC-2")
    copies = [People(Incidents(log, clock), clock) for _ in range(2)]
    await asyncio.gather(
        copies[0].do("reopen", "INC-2", order_id="reopen", kind="relapse", reason="down again"),
        copies[1].do("declare", order_id="third", title="checkout again", severity="sev2", service="checkout"),
    )
    group = await log.read(f"group.{group_key('checkout', '')}")
    reopened_at = (await log.read_named("incident", "reopened"))[0].seq
    third_at = (await log.read("incident.INC-3"))[0].seq
    # Whoever came first has the alerts of the service, and the other leaves them to it.
    first = "INC-2" if reopened_at < third_at else "INC-3"
    assert [past.fact.incident_id for past in group if isinstance(past.fact, GroupAssigned)] == ["INC-1", first]
