"""An import wakes nobody: whoever it concerned heard of it in the other system. What begins here afterwards does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.history.conftest import Importing
from tests.history.feed import reached, state
from tests.scenario import Scenario

KNOWN_AT, LATER = "2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z"
DECLARED = reached("declared", "2026-03-02T08:05:00Z")
RESOLVED = reached("resolved", "2026-03-02T08:50:00Z")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Scenario]:
    """Ada is on call, grace is the second level."""
    scenario = await Scenario.begin(tmp_path)
    yield scenario
    await scenario.end()


async def take_over(world: Scenario, known_at: str, *milestones: dict[str, Any], **fields: Any) -> str:
    """Import a state of the one incident, and let everybody hear of it."""
    described = {"title": "Checkout is down", "severity": "sev1", "service": "checkout", "milestones": milestones}
    answer = await Importing(world.log).record(state("checkout", known_at, **described, **fields))
    await world.settle()
    return answer.outcomes[0].incident_id


async def expect_no_escalation(world: Scenario) -> None:
    """Nothing of on-call is in the log."""
    await world.fast_forward(days=1)
    await world.expect_silence()
    assert not await world.facts("escalation.started", "page.requested", "page.withheld", "timer.fired")


async def test_an_imported_incident_that_is_open_pages_nobody(world: Scenario):
    await take_over(world, KNOWN_AT, DECLARED)
    await expect_no_escalation(world)


async def test_nor_does_one_that_was_reopened_elsewhere(world: Scenario):
    reopened = reached("reopened", "2026-03-02T08:55:00Z", kind="relapse", summary="again")
    await take_over(world, KNOWN_AT, DECLARED, RESOLVED, reopened)
    await expect_no_escalation(world)


async def test_nor_does_what_people_say_of_it_here(world: Scenario):
    incident_id = await take_over(world, KNOWN_AT, DECLARED)
    await world.command("note", incident_id, text="Still the old one.")
    await world.command("severity", incident_id, severity="sev2", reason="less bad")
    await expect_no_escalation(world)


async def test_one_that_is_reopened_here_pages_like_any_other(world: Scenario):
    incident_id = await take_over(world, KNOWN_AT, DECLARED, RESOLVED)
    await world.expect_silence()
    await world.command("reopen", incident_id, kind="relapse", reason="it is back")
    await world.expect_page("ada")


async def test_a_later_import_does_not_silence_what_was_reopened_here(world: Scenario):
    incident_id = await take_over(world, KNOWN_AT, DECLARED, RESOLVED)
    await world.command("reopen", incident_id, kind="relapse", reason="it is back")
    await world.expect_page("ada")
    await take_over(world, LATER, DECLARED, RESOLVED, updates=[{"at": KNOWN_AT, "text": "All is well."}])
    await world.fast_forward(minutes=5)
    await world.expect_page("grace")


async def test_one_that_is_declared_here_joins_nothing_of_it(world: Scenario):
    imported = await take_over(world, KNOWN_AT, DECLARED)
    declared = await world.declare()
    assert declared != imported
    await world.expect_page("ada")
