"""Hand-overs are in the log, once each, at the time at which they took effect."""

from tests.scenario import Scenario


async def test_a_hand_over_is_recorded_when_it_takes_effect(world: Scenario):
    await world.fast_forward(days=8)
    names = world.directory.names()
    shifts = [(names[r.fact.person_id], r.happened_at.isoformat()) for r in await world.facts("rotation.shift_started")]
    assert shifts == [("Ada Lovelace", "2026-03-02T10:00:00+00:00"), ("Bob Kahn", "2026-03-09T09:00:00+00:00")]
    assert len(await world.facts("rotation.shift_ended")) == 1


async def test_after_weeks_away_every_hand_over_is_recorded_with_its_own_time(world: Scenario):
    await world.timers.cancel("shift-primary")
    await world.fast_forward(days=36)
    await world.oncall.start()
    times = [r.happened_at.isoformat() for r in await world.facts("rotation.shift_started")]
    assert times == [
        "2026-03-02T10:00:00+00:00",
        "2026-03-09T09:00:00+00:00",
        "2026-03-16T09:00:00+00:00",
        "2026-03-23T09:00:00+00:00",
        "2026-03-30T08:00:00+00:00",
        "2026-04-06T08:00:00+00:00",
    ], "the clocks went forward on the 29th: 09:00 in London is 08:00 UTC from then on"
    await world.oncall.start()
    assert len(await world.facts("rotation.shift_started")) == len(times)
