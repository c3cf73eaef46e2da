"""What happens between reading and appending: the decision is made again, on what became of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from events import EventLog, Write
from services.clock import FakeClock
from services.incidents.service import Incidents
from tests.services.incidents.alerts import People, fired, happens, incident_ids, story_of


class Meanwhile:
    """A log in which something else happens just before the first append."""

    def __init__(self, log: EventLog, happening: Callable[[], Awaitable[object]]) -> None:
        self._log = log
        self._happening: Callable[[], Awaitable[object]] | None = happening

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, *writes: Write) -> int:
        happening, self._happening = self._happening, None
        if happening:
            await happening()
        return await self._log.append(*writes)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 1, 14, 0, tzinfo=UTC))


@pytest.fixture
async def people(log: EventLog, clock: FakeClock) -> People:
    """People, after an alert about checkout opened INC-1 and it was resolved."""
    incidents, people = Incidents(log, clock), People(Incidents(log, clock), clock)
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await people.do("resolve", "INC-1")
    return people


async def test_an_incident_reopened_while_its_next_alert_is_placed_takes_that_alert(
    log: EventLog, clock: FakeClock, people: People
):
    alert = await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow"))
    slow = Incidents(
        Meanwhile(log, lambda: people.do("reopen", "INC-1", kind="relapse", reason="down again")),  # type: ignore[arg-type]
        clock,
    )
    await slow.on_event(alert)
    assert await incident_ids(log) == ["INC-1"]
    assert (await story_of(log, "incident.INC-1"))[-1] == "incident.alert_linked"


async def test_an_incident_resolved_while_an_alert_joins_it_leaves_that_alert_to_the_next(
    log: EventLog, clock: FakeClock, people: People
):
    await people.do("reopen", "INC-1", kind="relapse", reason="down again")
    alert = await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow"))
    await Incidents(Meanwhile(log, lambda: people.do("resolve", "INC-1")), clock).on_event(alert)  # type: ignore[arg-type]
    assert await incident_ids(log) == ["INC-1", "INC-2"]
    assert (await story_of(log, "incident.INC-1"))[-1] == "incident.resolved"


async def test_an_alert_placed_by_another_copy_meanwhile_is_not_placed_again(
    log: EventLog, clock: FakeClock, people: People
):
    alert = await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow"))
    other = Incidents(log, clock)
    await Incidents(Meanwhile(log, lambda: other.on_event(alert)), clock).on_event(alert)  # type: ignore[arg-type]
    assert await incident_ids(log) == ["INC-1", "INC-2"]
    assert await story_of(log, "incident.INC-2") == ["incident.declared", "incident.alert_linked"]


async def test_a_number_taken_meanwhile_is_passed_by(log: EventLog, clock: FakeClock, people: People):
    others = People(Incidents(log, clock), clock)
    slow = People(
        Incidents(
            Meanwhile(log, lambda: others.do("declare", order_id="theirs", title="search is down", severity="sev2")),  # type: ignore[arg-type]
            clock,
        ),
        clock,
    )
    mine = await slow.do("declare", order_id="mine", title="payments fail", severity="sev2")
    assert mine.target == "INC-3"
