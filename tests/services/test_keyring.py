"""The keys of people: private, durable, and gone when they are destroyed."""

import stat
from pathlib import Path

import pytest

from services.keyring import Keyring

ADA = "per-7f3k2m9qx4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "people"


def test_a_key_is_made_once_and_found_again(folder: Path):
    key = Keyring(folder).create(ADA)
    assert len(key) == 32
    assert Keyring(folder).create(ADA) == key
    assert Keyring(folder).key(ADA) == key


def test_there_is_no_key_for_a_stranger(folder: Path):
    assert Keyring(folder).key("per-stranger00") is None


def test_only_its_owner_may_read_a_key(folder: Path):
    Keyring(folder).create(ADA)
    assert stat.S_IMODE((folder / f"{ADA}.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_but_keys_lies_in_the_folder(folder: Path):
    Keyring(folder).create(ADA)
    assert [file.name for file in folder.iterdir()] == [f"{ADA}.key"]


def test_a_destroyed_key_is_overwritten_and_gone(folder: Path):
    keyring = Keyring(folder)
    keyring.create(ADA)
    kept_open = (folder / f"{ADA}.key").open("rb")
    keyring.destroy(ADA)
    assert keyring.key(ADA) is None
    assert list(folder.iterdir()) == []
    with kept_open:
        assert kept_open.read() == bytes(32)


def test_destroying_twice_is_the_same_as_once(folder: Path):
    keyring = Keyring(folder)
    keyring.create(ADA)
    keyring.destroy(ADA)
    keyring.destroy(ADA)
    assert keyring.key(ADA) is None


def test_a_key_whose_destruction_was_cut_short_opens_nothing(folder: Path):
    keyring = Keyring(folder)
    keyring.create(ADA)
    (folder / f"{ADA}.key").write_bytes(bytes(32))
    assert keyring.key(ADA) is None


def test_an_id_cannot_lead_out_of_the_folder(folder: Path):
    with pytest.raises(ValueError, match="cannot name a person"):
        Keyring(folder).key("../secrets")
