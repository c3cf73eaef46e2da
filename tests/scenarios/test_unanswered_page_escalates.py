"""A page that nobody answers climbs the policy, and its end is recorded."""

from tests.scenario import Scenario


async def test_an_unanswered_page_climbs_the_ladder(world: Scenario):
    await world.declare()
    message = await world.expect_page("ada")
    assert message.subject == "[sev1] INC-1: checkout is down"
    await world.expect_silence("bob", "grace")
    await world.fast_forward(minutes=4, seconds=59)
    await world.expect_silence()
    await world.fast_forward(seconds=1)
    await world.expect_page("grace")
    await world.expect_silence("ada", "bob")


async def test_when_nobody_answers_the_escalation_ends_and_says_so(world: Scenario):
    await world.declare()
    await world.fast_forward(hours=1)
    assert [recorded.fact.level for recorded in await world.facts("escalation.level_reached")] == [1, 2]
    assert len(await world.facts("escalation.exhausted")) == 1
    await world.fast_forward(days=30)
    assert len(await world.facts("page.requested")) == 2


async def test_a_policy_that_repeats_is_climbed_again(world: Scenario, tmp_path):
    from tests.scenario import SETTINGS

    await world.configure(SETTINGS + "repeat = 1\n")
    await world.declare()
    await world.fast_forward(hours=1)
    asked = [(r.fact.round, r.fact.level) for r in await world.facts("escalation.level_reached")]
    assert asked == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert len(await world.facts("page.sent")) == 4


async def test_a_minor_incident_wakes_nobody(world: Scenario):
    await world.declare(severity="sev4")
    await world.fast_forward(days=1)
    await world.expect_silence()
    assert not await world.facts("escalation.started")


async def test_a_minor_incident_that_grows_wakes_somebody(world: Scenario):
    incident_id = await world.declare(severity="sev4")
    await world.fast_forward(hours=1)
    await world.command("severity", incident_id, severity="sev2", reason="payments fail too")
    assert "[sev2]" in (await world.expect_page("ada")).subject
