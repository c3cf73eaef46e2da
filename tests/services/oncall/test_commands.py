"""People, rotations and policies by command: idempotent, sealed, and refused with a way out."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from events.escalation import Level
from events.ids import new_event_id
from events.memory_log import MemoryLog
from events.person import Contact, PersonDetails
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.command import Answer, Command, Done, Order, Refused, verb_of
from services.directory import Directory
from services.keyring import Keyring
from services.oncall.commands import (
    AddPerson,
    ChangePerson,
    ConfigurePolicy,
    ConfigureRotation,
    ErasePerson,
    parse,
)
from services.oncall.service import OnCall
from services.orders import answer as answer_to

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADA = PersonDetails(
    handle="ada",
    name="Ada Lovelace",
    zone="Europe/London",
    contacts=(Contact(channel="smtp", address="ada@example.org"),),
)
BOB = PersonDetails(handle="bob", name="Bob Kahn")
WEEKLY = ConfigureRotation(zone="Europe/London", starts_at=datetime(2026, 1, 5, 9, 0), shift_days=7, members=("ada",))
POLICY = ConfigurePolicy(levels=(Level(targets=("rotation.primary", "person.ada"), answer_within_s=300),))


class World:
    """On-call, and somebody who orders."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(NOON)
        self.log = MemoryLog(now=self.clock.now)
        self.keyring = Keyring(folder)
        self.directory = Directory(self.log, self.keyring)
        self.oncall = self.copy()

    def copy(self) -> OnCall:
        return OnCall(self.log, MemoryTimers(self.log), self.clock, self.keyring)

    async def ask(self, command: Command, target: str = "", *, order_id: str = "", of: OnCall | None = None) -> Answer:
        order = Order(
            id=order_id or new_event_id(),
            actor="per-grace",
            issued_at=NOON,
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target,
            auth_id="tok-1",
        )
        answer = await (of or self.oncall).handle(order, verb_of(command))
        await self.directory.refresh()
        return answer

    async def done(self, command: Command, target: str = "") -> Done:
        answer = await self.ask(command, target)
        assert isinstance(answer, Done), answer
        return answer


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "people")


async def test_a_person_is_added_under_an_opaque_id_and_sealed(world: World):
    done = await world.done(AddPerson(details=ADA))
    assert done.target.startswith("per-")
    assert world.directory.find("ada").details == ADA
    assert world.directory.find(done.target).name == "Ada Lovelace"
    bodies = b"".join([stored.body async for batch in world.log.bulk(after=0, through=9) for stored in batch])
    assert b"Ada" not in bodies
    assert b'"ada"' not in bodies  # quoted, because an id of hexadecimal digits may hold the three letters
    assert b"ada@" not in bodies
    [added] = await world.log.read(f"person.{done.target}")
    assert (added.event.actor, added.event.auth_id) == ("per-grace", "tok-1")


async def test_adding_the_same_person_again_writes_nothing(world: World):
    first = await world.done(AddPerson(details=ADA))
    second = await world.done(AddPerson(details=ADA))
    assert (second.target, second.seq) == (first.target, 0)
    assert await world.log.last_position() == first.seq


async def test_a_handle_has_one_owner(world: World):
    await world.done(AddPerson(details=ADA))
    other = msgspec.structs.replace(ADA, name="Ada Yonath")
    refused = await world.ask(AddPerson(details=other))
    assert isinstance(refused, Refused)
    assert refused.because == "somebody else is called ada already"
    await world.done(AddPerson(details=BOB))
    refused = await world.ask(ChangePerson(details=msgspec.structs.replace(BOB, handle="ada")), "bob")
    assert isinstance(refused, Refused)


async def test_two_copies_that_add_the_same_person_at_once_add_one(world: World):
    await asyncio.gather(*(world.ask(AddPerson(details=ADA), of=world.copy()) for _copy in range(8)))
    assert [person.handle for person in world.directory.people()] == ["ada"]


async def test_details_change_as_a_whole(world: World):
    added = await world.done(AddPerson(details=ADA))
    moved = msgspec.structs.replace(ADA, zone="Asia/Kolkata", contacts=())
    assert (await world.done(ChangePerson(details=moved), "ada")).target == added.target
    assert world.directory.find("ada").details == moved
    assert (await world.done(ChangePerson(details=moved), added.target)).seq == 0


async def test_an_erased_person_cannot_be_changed_and_may_be_erased_twice(world: World):
    added = await world.done(AddPerson(details=ADA))
    await world.done(ErasePerson(reason="left"), "ada")
    assert world.keyring.key(added.target) is None
    assert world.directory.get(added.target).erased
    assert world.directory.find("ada") is None
    refused = await world.ask(ChangePerson(details=ADA), added.target)
    assert isinstance(refused, Refused)
    assert refused.because == "this person was erased"
    assert (await world.done(ErasePerson(reason="left"), added.target)).seq == 0


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"handle": "no spaces please"}, "is no handle"),
        ({"handle": "per-ada"}, "is no handle"),
        ({"name": ""}, "is no name"),
        ({"name": "two\nlines"}, "is no name"),
        ({"zone": "Mars/Olympus"}, "is no time zone"),
        ({"contacts": (Contact(channel="smtp", address="ada"),)}, "a contact smtp: cannot be used"),
        ({"contacts": (Contact(channel="pigeon"),)}, "no channel serves contacts pigeon:"),
        ({"contacts": (Contact(channel="json", address="json://10.0.0.1"),)}, "no channel serves contacts json:"),
    ],
)
async def test_what_could_not_be_used_at_night_is_refused_by_day(world: World, change, because: str):
    refused = await world.ask(AddPerson(details=msgspec.structs.replace(ADA, **change)))
    assert isinstance(refused, Refused)
    assert because in refused.because
    assert refused.instead
    assert refused.code == "invalid"


async def test_a_rotation_holds_person_ids_and_a_moment(world: World):
    ada = (await world.done(AddPerson(details=ADA))).target
    await world.done(WEEKLY, "primary")
    [configured] = await world.log.read("rotation.primary")
    assert configured.fact.members == (ada,)
    assert configured.fact.starts_at == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert configured.fact.name == "primary"


async def test_configuring_what_already_holds_writes_nothing(world: World):
    await world.done(AddPerson(details=ADA))
    await world.done(WEEKLY, "primary")
    await world.done(POLICY, "default")
    position = await world.log.last_position()
    assert (await world.done(WEEKLY, "primary")).seq == 0
    assert (await world.done(POLICY, "default")).seq == 0
    assert await world.log.last_position() == position


async def test_a_setting_may_return_to_an_earlier_value(world: World):
    await world.done(AddPerson(details=ADA))
    for shift_days in (7, 1, 7):
        await world.done(msgspec.structs.replace(WEEKLY, shift_days=shift_days), "primary")
    assert [r.fact.shift_days for r in await world.log.read("rotation.primary")] == [7, 1, 7]


@pytest.mark.parametrize(
    ("command", "target", "because"),
    [
        (msgspec.structs.replace(WEEKLY, zone="Mars/Olympus"), "primary", "is no time zone"),
        (msgspec.structs.replace(WEEKLY, members=("eve",)), "primary", "there is no person 'eve'"),
        (WEEKLY, "no.dots", "that is no id"),
        (WEEKLY, "x" * 51, "that is no id"),
        (
            ConfigurePolicy(levels=(Level(targets=("rotation.night",), answer_within_s=60),)),
            "default",
            "there is no 'rotation.night' to ask",
        ),
        (
            ConfigurePolicy(levels=(Level(targets=("person.ada",), answer_within_s=0),)),
            "default",
            "0 s is no time to answer in",
        ),
        (ConfigurePolicy(levels=(Level(targets=(), answer_within_s=60),)), "default", "a level has 0 targets"),
    ],
)
async def test_what_cannot_be_configured_is_refused(world: World, command: Command, target: str, because: str):
    await world.done(AddPerson(details=ADA))
    refused = await world.ask(command, target)
    assert isinstance(refused, Refused)
    assert because in refused.because
    assert refused.code == "invalid"


async def test_the_same_order_is_done_once_even_after_others_undid_it(world: World):
    await world.ask(AddPerson(details=ADA), order_id="order-1")
    moved = msgspec.structs.replace(ADA, zone="Asia/Kolkata")
    await world.ask(ChangePerson(details=moved), "ada", order_id="order-2")
    await world.ask(ChangePerson(details=ADA), "ada", order_id="order-3")
    await world.ask(WEEKLY, "primary", order_id="order-4")
    await world.ask(msgspec.structs.replace(WEEKLY, shift_days=1), "primary", order_id="order-5")
    position = await world.log.last_position()
    for command, target, order_id in (
        (AddPerson(details=moved), "", "order-1"),
        (ChangePerson(details=moved), "ada", "order-2"),
        (WEEKLY, "primary", "order-4"),
    ):
        answer = await world.ask(command, target, order_id=order_id)
        assert isinstance(answer, Done)
        assert 0 < answer.seq <= position
    assert await world.log.last_position() == position
    assert world.directory.find("ada").details == ADA


async def test_nobody_who_does_not_exist_is_erased(world: World):
    refused = await world.ask(ErasePerson(reason="x"), "eve")
    assert isinstance(refused, Refused)
    assert refused.code == "not_found"


async def test_a_malformed_order_is_answered_and_not_lost(world: World):
    for verb, body in (("add_person", b"{"), ("dance", b'{"id":"1"}')):
        assert isinstance(await answer_to(world.oncall.handle, verb, body), Refused)
    order = Order(id="1", actor="x", issued_at=NOON, command=msgspec.Raw(b'{"detials":{}}'))
    refused = await world.oncall.handle(order, "add_person")
    assert isinstance(refused, Refused)
    assert refused.instead == "add_person takes a JSON object with: details (required)"
    refused = await world.oncall.handle(order, "dance")
    assert isinstance(refused, Refused)
    assert "add_person" in refused.instead


def test_the_verb_need_not_be_said_twice():
    assert parse("erase_person", b'{"reason":"left"}') == ErasePerson(reason="left")
