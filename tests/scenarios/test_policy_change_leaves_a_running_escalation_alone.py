"""The policy is frozen when a run begins; people and rotations are asked as they are when their turn comes."""

from tests.scenario import MONDAY, SETTINGS, Scenario


async def test_a_new_policy_does_not_alter_a_running_escalation(world: Scenario):
    await world.declare()
    await world.expect_page("ada")
    changed = SETTINGS.replace('["person.grace"], answer_within_s = 600', '["person.bob"], answer_within_s = 60')
    await world.configure(changed)
    await world.fast_forward(minutes=5)
    await world.expect_page("grace")
    await world.expect_silence("bob")
    await world.declare("payments fail")
    await world.expect_page("ada")
    await world.fast_forward(minutes=5)
    await world.expect_page("bob")


async def test_who_is_on_call_is_asked_when_the_level_is_reached(tmp_path):
    grace_first = (
        SETTINGS.replace('targets = ["rotation.primary"]', 'targets = ["rotation.other"]')
        .replace('targets = ["person.grace"]', 'targets = ["rotation.primary"]')
        .replace('targets = ["rotation.other"]', 'targets = ["person.grace"]')
    )
    just_before_hand_over = MONDAY.replace(day=9, hour=8, minute=57)
    world = await Scenario.begin(tmp_path, grace_first, start=just_before_hand_over)
    await world.declare()
    await world.expect_page("grace")
    await world.fast_forward(minutes=5)
    await world.expect_page("bob")
    await world.expect_silence("ada")
    await world.end()
