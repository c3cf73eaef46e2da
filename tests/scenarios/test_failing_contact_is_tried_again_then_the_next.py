"""A contact that fails is tried again, then the person's next one is; every page ends as a fact."""

from services.notifier.channel import ChannelFailed
from services.notifier.delivery import LAST_RETRY_PAUSES_S, RETRY_PAUSES_S
from tests.scenario import Scenario


async def test_a_passing_failure_is_tried_again(world: Scenario):
    world.mail.failures["ada@example.org"] = [ChannelFailed("connection refused")]
    await world.declare()
    await world.expect_silence()
    await world.fast_forward(seconds=RETRY_PAUSES_S[0])
    message = await world.expect_page("ada")
    assert "duplicate" not in message.body
    assert [r.fact.attempt for r in await world.facts("page.attempted")] == [1, 2]
    assert (await world.only_fact("page.failed")).final is False


async def test_after_its_last_try_the_next_contact_is_reached(world: Scenario):
    world.mail.failures["ada@example.org"] = [ChannelFailed("connection refused")] * 3
    await world.declare()
    await world.fast_forward(seconds=sum(RETRY_PAUSES_S))
    await world.expect_page("ada", by="pager")
    assert [r.fact.final for r in await world.facts("page.failed")] == [False, False, True]
    sent = await world.only_fact("page.sent")
    assert (sent.channel, sent.contact, sent.attempt) == ("pager", 1, 4)


async def test_a_refusal_that_is_final_is_not_repeated(world: Scenario):
    world.mail.failures["ada@example.org"] = [ChannelFailed("550 no such mailbox", permanent=True)]
    await world.declare()
    await world.expect_page("ada", by="pager")


async def test_when_every_contact_fails_the_page_has_failed(world: Scenario):
    world.mail.failures["ada@example.org"] = [ChannelFailed("550 no such mailbox", permanent=True)]
    world.pager.failures["pager:ada"] = [ChannelFailed("no network")] * 99
    await world.declare()
    await world.fast_forward(seconds=sum(LAST_RETRY_PAUSES_S))
    ada = world.directory.by_handle("ada").person_id
    requested = (await world.facts("page.requested"))[0]
    assert requested.fact.person_id == ada
    history = await world.log.read(requested.stream)
    assert history[-1].fact.final is True
    assert len(history) == 1 + 2 + 2 * (1 + len(LAST_RETRY_PAUSES_S))
    await world.fast_forward(days=1)
    assert len(await world.log.read(requested.stream)) == len(history)
    await world.expect_page("grace")
