"""What every event log promises, said once and asked of each implementation."""

import asyncio
from datetime import UTC, datetime

import pytest

from events import NOTHING, Conflict, Event, EventLog, Write, decode
from events.errors import FactTooLarge, InvalidEvent
from events.group import GroupAssigned
from events.incident import IncidentAcknowledged, IncidentDeclared, Noted

MOMENT = datetime(2026, 3, 1, 14, 2, 3, 456789, tzinfo=UTC)
INC = "incident.INC-42"


def event(identifier: str, fact=None) -> Event:
    fact = fact or Noted(text=f"note {identifier}")
    return Event(id=identifier, fact=fact, happened_at=MOMENT, source="recount/test", actor="per-ada")


DECLARED = event("declared", IncidentDeclared(title="checkout is down", severity="sev1"))
ACKNOWLEDGED = event("acknowledged", IncidentAcknowledged())


async def test_what_was_appended_comes_back_in_order_with_both_clocks(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    second = await log.append(Write(INC, first, (ACKNOWLEDGED,)))
    history = await log.read(INC)
    assert [recorded.event for recorded in history] == [DECLARED, ACKNOWLEDGED]
    assert [recorded.seq for recorded in history] == [first, second]
    assert history[0].happened_at == MOMENT
    assert abs((history[0].recorded_at - datetime.now(UTC)).total_seconds()) < 60


async def test_appending_after_someone_else_is_refused_and_names_the_position_that_won(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    with pytest.raises(Conflict, match=f"incident.INC-42 was last written at position {first}, not 0") as caught:
        await log.append(Write(INC, NOTHING, (ACKNOWLEDGED,)))
    assert caught.value.actual == first
    assert len(await log.read(INC)) == 1


async def test_several_facts_are_stored_all_or_none(log: EventLog):
    last = await log.append(Write(INC, NOTHING, (DECLARED, ACKNOWLEDGED, event("n1"))))
    assert [recorded.seq for recorded in await log.read(INC)] == [last - 2, last - 1, last]
    with pytest.raises(Conflict):
        await log.append(Write(INC, last - 1, (event("n2"), event("n3"))))
    assert len(await log.read(INC)) == 3


async def test_the_newest_event_of_a_stream(log: EventLog):
    assert await log.last(INC) is None
    await log.append(Write(INC, NOTHING, (DECLARED, ACKNOWLEDGED)))
    newest = await log.last(INC)
    assert newest is not None
    assert (newest.event, newest.stream) == (ACKNOWLEDGED, INC)
    assert await log.last("incident.INC-4") is None


async def test_two_streams_are_written_together_or_not_at_all(log: EventLog):
    assign = event("assigned", GroupAssigned(incident_id="INC-42", service="checkout", rule="by service"))
    await log.append(Write(INC, NOTHING, (DECLARED,)), Write("group.checkout", NOTHING, (assign,)))
    another = event("another", GroupAssigned(incident_id="INC-43", service="checkout", rule="by service"))
    with pytest.raises(Conflict, match=r"group\.checkout"):
        await log.append(
            Write("incident.INC-43", NOTHING, (event("declared again", DECLARED.fact),)),
            Write("group.checkout", NOTHING, (another,)),
        )
    assert await log.read("incident.INC-43") == []


async def test_a_retry_that_meets_itself_succeeds_and_writes_nothing(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    assert await log.append(Write(INC, NOTHING, (DECLARED,))) == first
    pair = Write(INC, first, (event("n1"), event("n2")))
    second = await log.append(pair)
    assert await log.append(pair) == second
    assert len(await log.read(INC)) == 3


async def test_the_same_events_on_a_newer_version_are_known_again_and_not_written_twice(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED, ACKNOWLEDGED)))
    second = await log.append(Write(INC, first, (event("n1"),)))
    assert await log.append(Write(INC, second, (DECLARED, ACKNOWLEDGED))) == first
    assert await log.append(Write(INC, second, (event("n1"),))) == second
    assert len(await log.read(INC)) == 3


async def test_an_id_that_is_taken_by_another_stream_or_by_a_part_of_the_append_is_refused(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    with pytest.raises(InvalidEvent, match=r"an event id of the append to incident\.INC-43 is in the log already"):
        await log.append(Write("incident.INC-43", NOTHING, (DECLARED,)))
    with pytest.raises(InvalidEvent, match=r"an event id of the append to incident\.INC-42 is in the log already"):
        await log.append(Write(INC, first, (event("n1"), DECLARED)))
    assert await log.last_position() == first


async def test_of_many_writers_exactly_one_wins(log: EventLog):
    outcomes = await asyncio.gather(
        *(log.append(Write(INC, NOTHING, (event(f"writer-{number}"),))) for number in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 9


async def test_reading_after_a_version_gives_the_rest(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    await log.append(Write("incident.INC-421", NOTHING, (event("a neighbour"),)))
    await log.append(Write(INC, first, (ACKNOWLEDGED,)))
    assert [recorded.event.id for recorded in await log.read(INC, after=first)] == ["acknowledged"]
    assert await log.read("incident.INC-4") == []


async def test_a_category_and_its_last_event(log: EventLog):
    assert await log.last_of("incident", "declared") is None
    for number in (1, 2, 3):
        fact = IncidentDeclared(title=f"number {number}", severity="sev3")
        await log.append(Write(f"incident.INC-{number}", NOTHING, (event(f"d{number}", fact), event(f"n{number}"))))
    newest = await log.last_of("incident", "declared")
    assert newest is not None
    assert newest.stream == "incident.INC-3"
    assert len(await log.read_category("incident")) == 6
    assert await log.read_category("page") == []


async def test_a_stream_longer_than_one_answer_is_read_whole(log: EventLog):
    version = NOTHING
    for batch in range(3):
        version = await log.append(Write(INC, version, tuple(event(f"{batch}-{n}") for n in range(500))))
    assert len(await log.read(INC)) == 1_500


async def test_following_starts_after_a_position_and_hears_what_comes_later(log: EventLog):
    first = await log.append(Write(INC, NOTHING, (DECLARED,)))
    second = await log.append(Write(INC, first, (ACKNOWLEDGED,)))
    heard = log.follow(after=first)
    assert [stored.seq for stored in await anext(heard)] == [second]
    third = await log.append(Write(INC, second, (event("later"),)))
    batch = await asyncio.wait_for(anext(heard), 10)
    assert [decode(stored).event.id for stored in batch] == ["later"]
    assert batch[0].seq == third
    assert batch[0].recorded_at == (await log.read(INC))[2].recorded_at
    await heard.aclose()


async def test_following_a_long_log_gives_every_event_once_in_order(log: EventLog):
    version = NOTHING
    for batch in range(5):
        version = await log.append(Write(INC, version, tuple(event(f"{batch}-{n}") for n in range(900))))
    heard: list[int] = []
    following = log.follow(after=10)
    while not heard or heard[-1] < version:
        batch = await asyncio.wait_for(anext(following), 10)
        assert batch
        heard += [stored.seq for stored in batch]
    await following.aclose()
    assert heard == list(range(11, version + 1))


async def test_bulk_reading_gives_every_event_between_two_positions(log: EventLog):
    version = NOTHING
    for batch in range(3):
        version = await log.append(Write(INC, version, tuple(event(f"{batch}-{n}") for n in range(900))))
    seqs = [stored.seq async for batch in log.bulk(after=100, through=2_500) for stored in batch]
    assert seqs == list(range(101, 2_501))
    assert await log.last_position() == 2_700
    beyond = [stored.seq async for batch in log.bulk(after=2_690, through=9_999) for stored in batch]
    assert beyond == list(range(2_691, 2_701))


async def test_one_event_by_its_position(log: EventLog):
    seq = await log.append(Write(INC, NOTHING, (DECLARED,)))
    stored = await log.get(seq)
    assert stored is not None
    assert decode(stored).event == DECLARED
    assert await log.get(seq + 1) is None
    assert await log.get(0) is None


async def test_what_does_not_fit_is_refused_before_it_leaves(log: EventLog):
    with pytest.raises(InvalidEvent, match="IncidentDeclared belongs in a stream incident"):
        await log.append(Write("page.p1", NOTHING, (DECLARED,)))
    with pytest.raises(FactTooLarge, match="the limit is 61440"):
        await log.append(Write(INC, NOTHING, (event("long", Noted(text="x" * 70_000)),)))
    naive = Event(id="naive", fact=Noted(text="x"), happened_at=datetime(2026, 1, 1), source="t")
    with pytest.raises(InvalidEvent, match="without a time zone"):
        await log.append(Write(INC, NOTHING, (naive,)))
    with pytest.raises(InvalidEvent, match="one append takes 1 to 1000 events"):
        await log.append(Write(INC, NOTHING, ()))
    assert await log.last_position() == 0


async def test_events_of_one_type_are_read_across_streams_after_a_position(log: EventLog):
    seqs = []
    for number in range(3):
        assign = event(f"assigned-{number}", GroupAssigned(incident_id=f"INC-{number}", service="checkout", rule="r"))
        seqs.append(await log.append(Write(f"group.key-{number}", 0, (assign,))))
    found = await log.read_named("group", "assigned", after=seqs[0])
    assert [past.seq for past in found] == seqs[1:]
    assert await log.read_named("group", "assigned", after=seqs[-1]) == []
    assert [past.seq for past in await log.read_named("group", "assigned")] == seqs
    assert await log.read_named("group", "given") == []


async def test_streams_that_have_begun_are_told_from_those_that_have_not(log: EventLog):
    await log.append(Write(INC, NOTHING, (DECLARED, ACKNOWLEDGED)))
    assert await log.begun([INC, "incident.INC-4", "incident.INC-421"]) == {INC}
    assert await log.begun(["incident.INC-4"]) == frozenset()
    assert await log.begun([]) == frozenset()
    streams = [f"incident.INC-{number}" for number in range(200)]
    assert await log.begun(streams) == {INC}
