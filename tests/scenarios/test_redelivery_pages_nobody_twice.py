"""Delivery is at least once; hours later too, a second delivery writes nothing."""

from tests.scenario import Scenario


async def test_a_redelivery_hours_later_pages_nobody_twice(world: Scenario):
    incident_id = await world.declare()
    await world.fast_forward(minutes=6)
    await world.acknowledge(incident_id, by="grace")
    world.mail.messages.clear()
    await world.fast_forward(hours=6)
    position = await world.log.last_position()
    await world.redeliver_everything()
    await world.expect_silence()
    assert await world.log.last_position() == position


async def test_a_redelivery_during_an_escalation_pages_nobody_twice(world: Scenario):
    await world.declare()
    await world.expect_page("ada")
    for _minute in range(4):
        await world.fast_forward(minutes=1)
        await world.redeliver_everything()
    await world.expect_silence()
    await world.fast_forward(minutes=1)
    await world.expect_page("grace")
    await world.redeliver_everything()
    await world.expect_silence()


async def test_two_copies_of_every_service_say_everything_once(world: Scenario):
    from services.oncall.service import OnCall

    copy = OnCall(world.log, world.timers, world.clock, world.keyring)
    original, heard = world.oncall.on_event, []

    async def both(event):
        import asyncio

        heard.append(event)
        await asyncio.gather(original(event), copy.on_event(event))

    world.oncall.on_event = both
    await world.declare()
    await world.fast_forward(hours=1)
    assert heard
    assert len(await world.facts("page.requested")) == 2
    assert len(await world.facts("escalation.level_reached")) == 2
    assert len(await world.facts("escalation.started")) == 1
