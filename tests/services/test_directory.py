"""Who is who, as far as the keys of this machine tell."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from events import Event, Write
from events.memory_log import MemoryLog
from events.person import PersonAdded, PersonChanged, PersonDetails, PersonErased
from events.sealing import seal
from services.directory import Directory
from services.keyring import Keyring

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ADA, BOB = "per-7f3k2m9qx4", "per-b2c4d6f8h3"


@pytest.fixture
async def world(tmp_path: Path) -> tuple[MemoryLog, Keyring, Directory]:
    log, keyring = MemoryLog(now=lambda: NOON), Keyring(tmp_path)
    for person_id, handle in ((ADA, "ada"), (BOB, "bob")):
        sealed = seal(PersonDetails(handle=handle, name=handle.title()), keyring.create(person_id), person_id)
        await tell(log, person_id, PersonAdded(sealed=sealed))
    return log, keyring, Directory(log, keyring)


async def tell(log: MemoryLog, person_id: str, fact) -> None:
    stream = f"person.{person_id}"
    history = await log.read(stream)
    event = Event(id=f"{person_id}-{len(history)}", fact=fact, happened_at=NOON, source="t")
    await log.append(Write(stream, history[-1].seq if history else 0, (event,)))


async def test_people_are_found_by_handle_and_by_id(world):
    _log, _keyring, directory = world
    assert directory.find("ada") is None, "nothing is known before the first refresh"
    await directory.refresh()
    assert directory.find("ada") == directory.get(ADA) == await directory.look_up(ADA)
    assert directory.names() == {ADA: "Ada", BOB: "Bob"}
    assert [person.person_id for person in directory.people()] == [ADA, BOB]


async def test_looking_somebody_up_asks_the_log_itself(world):
    log, keyring, directory = world
    await directory.refresh()
    sealed = seal(PersonDetails(handle="countess", name="Ada King"), keyring.create(ADA), ADA)
    await tell(log, ADA, PersonChanged(sealed=sealed))
    assert (await directory.look_up(ADA)).name == "Ada King"
    assert directory.get(ADA).name == "Ada"
    await directory.refresh()
    assert directory.by_handle("countess").person_id == ADA


async def test_an_erased_person_has_no_details_even_while_the_key_is_still_there(world):
    log, keyring, directory = world
    await tell(log, ADA, PersonErased(reason="left"))
    await directory.refresh()
    assert keyring.key(ADA) is not None
    assert directory.get(ADA).erased
    assert directory.get(ADA).details is None
    assert directory.names()[ADA] == "erased person"
    assert directory.by_handle("ada") is None


async def test_a_person_whose_key_is_elsewhere_is_known_by_id_only(world):
    _log, keyring, directory = world
    keyring.destroy(BOB)
    await directory.refresh()
    assert not directory.get(BOB).erased
    assert directory.get(BOB).details is None
    assert directory.names()[BOB] == BOB


async def test_a_stranger_is_nobody(world):
    _log, _keyring, directory = world
    assert await directory.look_up("per-stranger00") is None
    assert await directory.look_up("not an id") is None
    assert directory.by_handle("") is None
