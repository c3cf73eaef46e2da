"""Erasing a person destroys their key: nothing names them any more, and nobody pages them."""

import pytest

from events.errors import PersonErased
from events.sealing import unseal
from services.command import Refused
from tests.scenario import SETTINGS, Scenario


async def test_an_erased_person_is_not_paged(world: Scenario):
    await world.erase("ada")
    await world.declare()
    assert (await world.only_fact("page.withheld")).reason == "the person was erased"
    await world.expect_silence("ada")
    await world.expect_page("grace")


async def test_a_person_who_is_erased_while_a_page_waits_is_not_paged(world: Scenario):
    from services.notifier.channel import ChannelFailed

    world.mail.failures["ada@example.org"] = [ChannelFailed("connection refused")]
    await world.declare()
    await world.erase("ada")
    await world.fast_forward(minutes=1)
    await world.expect_silence("ada")
    assert (await world.only_fact("page.withheld")).reason == "the person was erased"


async def test_after_an_erasure_nothing_on_disk_or_in_the_log_names_the_person(world: Scenario, tmp_path):
    ada = world.directory.by_handle("ada")
    await world.declare()
    await world.erase("ada")
    in_the_log = b"".join([stored.body async for batch in world.log.bulk(after=0, through=10_000) for stored in batch])
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for trace in (b"Lovelace", b"ada@example.org", b'"ada"', b"pager:ada"):
        assert trace not in in_the_log
        assert trace not in on_disk
    assert not (tmp_path / "people" / f"{ada.person_id}.key").exists()
    sealed = (await world.log.read(f"person.{ada.person_id}"))[0].fact.sealed
    with pytest.raises(PersonErased):
        unseal(sealed, world.keyring.key(ada.person_id), ada.person_id)
    assert world.directory.get(ada.person_id).details is None
    assert world.directory.names()[ada.person_id] == "erased person"


async def test_a_crash_between_the_fact_and_the_key_is_made_good(world: Scenario, tmp_path):
    ada = world.directory.by_handle("ada").person_id
    key = world.keyring.key(ada)
    await world.erase("ada")
    path = tmp_path / "people" / f"{ada}.key"
    path.write_bytes(key)
    await world.redeliver_everything()
    assert not path.exists()


async def test_an_erased_handle_may_be_given_to_somebody_new(world: Scenario):
    before = world.directory.by_handle("ada").person_id
    await world.erase("ada")
    await world.configure(SETTINGS)
    after = world.directory.by_handle("ada").person_id
    assert after != before
    refused = await world.order("oncall", "erase_person", "nobody", reason="x")
    assert isinstance(refused, Refused)
