"""Each call of an incident is a run of its own."""

from tests.scenario import Scenario


async def test_a_reopened_incident_pages_again_from_the_first_level(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.acknowledge(incident_id, by="ada")
    await world.command("resolve", incident_id, summary="rolled back")
    await world.fast_forward(hours=1)
    await world.expect_silence()
    await world.command("reopen", incident_id, kind="relapse", reason="latency is back")
    await world.expect_page("ada")
    assert [r.fact.run for r in await world.facts("escalation.started")] == [1, 2]
    await world.fast_forward(minutes=5)
    await world.expect_page("grace")


async def test_an_incident_that_was_reopened_while_nobody_listened_starts_anew(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    world.listening = False
    await world.command("resolve", incident_id, summary="rolled back")
    await world.command("reopen", incident_id, kind="mistaken", reason="it never was over")
    await world.expect_silence()
    world.listening = True
    await world.settle()
    await world.expect_page("ada")
    assert (await world.only_fact("escalation.stopped")).reason == "resolved"
    assert [r.fact.run for r in await world.facts("escalation.started")] == [1, 2]


async def test_an_exhausted_escalation_does_not_keep_a_reopened_incident_silent(world: Scenario):
    incident_id = await world.declare()
    await world.fast_forward(hours=1)
    world.mail.messages.clear()
    await world.command("resolve", incident_id, summary="it went away")
    await world.command("reopen", incident_id, kind="relapse", reason="it came back")
    await world.expect_page("ada")
