"""When nobody can be asked, that is recorded, and the next level does not wait."""

from tests.scenario import MONDAY, SETTINGS, Scenario


async def test_a_rotation_without_anybody_is_passed_at_once(tmp_path):
    later = SETTINGS.replace("starts_at = 2026-01-05T09:00:00", "starts_at = 2026-06-01T09:00:00")
    world = await Scenario.begin(tmp_path, later)
    await world.declare()
    withheld = await world.only_fact("page.withheld")
    assert withheld.reason == "nobody is on call in primary"
    assert withheld.target == "rotation.primary"
    await world.expect_page("grace")
    assert world.clock.now() == MONDAY
    await world.end()


async def test_without_a_policy_the_log_says_why_nobody_was_paged(tmp_path):
    world = await Scenario.begin(tmp_path, "")
    await world.declare()
    assert (await world.only_fact("page.withheld")).reason == "no policy 'default' is configured"
    exhausted = await world.only_fact("escalation.exhausted")
    assert exhausted.because == "nobody is paged: no policy 'default' is configured"
    # Nothing started, and nobody was asked who could have answered.
    assert await world.facts("escalation.started") == []
    await world.redeliver_everything()
    assert len(await world.facts("page.withheld")) == 1
    assert len(await world.facts("escalation.exhausted")) == 1
    await world.end()


async def test_a_person_without_contacts_is_passed_at_once(tmp_path):
    silent = SETTINGS.replace('contacts = ["smtp:ada@example.org", "pager:ada"]', "contacts = []")
    world = await Scenario.begin(tmp_path, silent)
    await world.declare()
    assert (await world.only_fact("page.withheld")).reason == "the person has no contact"
    await world.expect_page("grace")
    await world.end()
