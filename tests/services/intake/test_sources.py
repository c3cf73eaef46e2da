"""Every sender has an address to paste, and a request that works when it is pasted into a shell."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from services.command import Done
from services.intake.adapters import sender_names
from services.intake.commands import MapKey
from services.sources import examples, source, sources
from tests.services.intake.stack import Stack, eventually


def test_every_adapter_has_an_example():
    assert set(examples()) == set(sender_names())


def test_a_sender_without_a_key_is_told_how_to_get_one():
    (found,) = [one for one in sources("http://intake", [], {}) if one.sender == "grafana"]
    assert found.instead == "recount keys create grafana"


def test_a_sender_that_needs_a_mapping_is_told_one_that_reads_its_request():
    (without,) = [one for one in sources("http://intake", [], {}) if one.sender == "mapped"]
    create, _, reads = without.instead.partition("; then: ")
    assert create == "recount keys create mapped --mapping FILE"
    mapping = reads.removeprefix("this request is read by the mapping ")
    assert msgspec.json.decode(mapping) == msgspec.json.decode(examples()["mapped"].mapping)
    keys: list[Mapping[str, str | None]] = [{"key_id": "key-1", "sender": "mapped", "name": "probe"}]
    (own,) = [one for one in sources("http://intake", keys, {}) if one.sender == "mapped"]
    assert own.instead == reads


def test_a_key_whose_secret_is_known_has_its_address():
    keys = [
        {"key_id": "key-1", "sender": "json", "name": "scripts"},
        {"key_id": "key-2", "sender": "json", "name": None},
    ]
    first, second = [one for one in sources("http://intake", keys, {"key-1": "s3cret"}) if one.sender == "json"]
    assert first.url == "http://intake/hooks/json/s3cret"
    assert (second.key_name, "SECRET-OF-THE-KEY" in second.url) == ("", True)


@pytest.mark.parametrize("sender", sorted(name for name, example in examples().items() if example.path))
async def test_the_request_works(intake: Stack, sender: str):
    example = examples()[sender]
    if example.mapping:
        assert isinstance(await intake.order(MapKey(mapping=example.mapping), target=f"key-{sender}"), Done)
    told = source(sender, example, intake.url, f"key-{sender}", "", intake.secrets[sender])
    shell = await asyncio.create_subprocess_shell(
        told.curl, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(shell.communicate(), 20)
    assert shell.returncode == 0, output.decode()
    assert await intake.receipt_count() == 1
    await eventually(intake.is_idle, "it is dealt with")
    assert await intake.names("deadletter") == []
    facts = {name: await intake.names(name) for name in ("alert", "change", "heartbeat")}
    assert any(facts.values()), "it says something"
