"""An acknowledgement ends the paging, by whatever way it comes."""

import pytest

from events.ids import is_id
from tests.scenario import Scenario


async def test_nobody_is_paged_after_an_acknowledgement(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.fast_forward(minutes=2)
    await world.acknowledge(incident_id, by="ada")
    assert (await world.only_fact("escalation.stopped")).reason == "acknowledged"
    await world.fast_forward(days=1)
    await world.expect_silence()
    assert len(await world.facts("escalation.level_reached")) == 1


async def test_the_link_in_the_message_acknowledges_and_answers_the_page(world: Scenario):
    await world.declare()
    await world.follow_link(await world.expect_page("ada"))
    acknowledged = await world.only_fact("incident.acknowledged")
    assert is_id(acknowledged.page_id)
    answered = (await world.facts("page.answered"))[0]
    assert answered.stream == f"page.{acknowledged.page_id}"
    assert answered.event.actor == world.directory.by_handle("ada").person_id
    await world.fast_forward(hours=2)
    await world.expect_silence()


async def test_the_timer_of_a_level_that_is_not_needed_never_fires(world: Scenario):
    incident_id = await world.declare()
    await world.acknowledge(incident_id, by="ada")
    await world.fast_forward(hours=1)
    assert not await world.facts("timer.fired")


@pytest.mark.parametrize(
    ("verb", "command", "reason"),
    [
        ("resolve", {"summary": "it recovered"}, "resolved"),
        ("dismiss", {"reason": "false_positive", "explanation": "a test"}, "dismissed"),
    ],
)
async def test_an_incident_that_is_over_pages_nobody(world: Scenario, verb: str, command, reason: str):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.command(verb, incident_id, **command)
    assert (await world.only_fact("escalation.stopped")).reason == reason
    await world.fast_forward(days=1)
    await world.expect_silence()


async def test_of_two_merged_incidents_only_the_root_goes_on(world: Scenario):
    root = await world.declare("checkout is down")
    member = await world.declare("payments fail")
    world.mail.take("ada@example.org")
    await world.command("merge", member, into_incident_id=root, reason="same cause")
    await world.fast_forward(minutes=5)
    assert root in (await world.expect_page("grace")).subject


async def test_an_acknowledgement_before_the_message_leaves_withholds_it(world: Scenario):
    from services.notifier.channel import ChannelFailed

    world.mail.failures["ada@example.org"] = [ChannelFailed("connection refused")]
    incident_id = await world.declare()
    await world.acknowledge(incident_id, by="bob")
    await world.fast_forward(minutes=10)
    await world.expect_silence()
    assert (await world.only_fact("page.withheld")).reason == "the incident was acknowledged meanwhile"
