"""A message that may have left is sent again, and says so: paged twice rather than never."""

from services.notifier.delivery import ATTEMPT_LOST_AFTER_S
from services.notifier.service import LOOK_AGAIN_AFTER_S
from tests.scenario import Scenario


async def test_a_crash_between_attempted_and_sent_sends_again_and_says_so(world: Scenario):
    world.mail.hanging.add("ada@example.org")
    await world.declare()
    assert len(await world.facts("page.attempted")) == 1
    await world.crash_notifier()
    world.mail.hanging.clear()
    await world.fast_forward(seconds=ATTEMPT_LOST_AFTER_S - 1)
    await world.expect_silence()
    await world.fast_forward(seconds=LOOK_AGAIN_AFTER_S)
    message = await world.expect_page("ada")
    assert "This may be a duplicate" in message.body
    assert [r.fact.possibly_duplicate for r in await world.facts("page.attempted")] == [False, True]
    assert len(await world.facts("page.sent")) == 1


async def test_a_redelivery_while_a_message_is_on_its_way_does_not_send_it_twice(world: Scenario):
    world.mail.hanging.add("ada@example.org")
    await world.declare()
    await world.redeliver_everything()
    await world.crash_notifier()
    world.mail.hanging.clear()
    await world.redeliver_everything()
    await world.expect_silence()
    assert len(await world.facts("page.attempted")) == 1


async def test_a_crash_before_anything_was_attempted_loses_nothing(world: Scenario):
    world.mail.hanging.update({"ada@example.org"})
    for number in range(20):
        await world.declare(f"incident {number}")
    attempted = len(await world.facts("page.attempted"))
    assert attempted < 20, "the channel is busy, so some have not begun"
    await world.crash_notifier()
    world.mail.hanging.clear()
    await world.fast_forward(seconds=2 * LOOK_AGAIN_AFTER_S)
    assert len(world.mail.take("ada@example.org")) == 20


async def test_an_attempt_that_is_not_answered_in_time_counts_as_unknown(tmp_path):
    world = await Scenario.begin(tmp_path, send_timeout_s=0.01)
    world.mail.hanging.add("ada@example.org")
    await world.declare()
    await world.notifier.idle()
    failed = await world.only_fact("page.failed")
    assert (failed.error, failed.unknown) == ("no answer within 0.01 s", True)
    world.mail.hanging.clear()
    await world.fast_forward(seconds=5)
    assert "This may be a duplicate" in (await world.expect_page("ada")).body
    await world.end()
