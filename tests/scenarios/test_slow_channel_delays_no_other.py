"""A channel that hangs holds up neither other channels nor the delivery of events."""

from services.notifier.channel import SENDS_AT_ONCE
from tests.scenario import SETTINGS, Scenario


async def test_while_mail_hangs_the_pager_rings(tmp_path):
    by_pager = SETTINGS.replace('contacts = ["smtp:grace@example.org"]', 'contacts = ["pager:grace"]')
    world = await Scenario.begin(tmp_path, by_pager)
    world.mail.hanging.add("ada@example.org")
    for number in range(SENDS_AT_ONCE + 5):
        await world.declare(f"incident {number}")
    await world.fast_forward(minutes=5)
    assert len(world.pager.take("pager:grace")) == SENDS_AT_ONCE + 5
    await world.end()
