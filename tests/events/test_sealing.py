"""What names a person is sealed with that person's key: without it, or moved, or altered, it does not open."""

import base64

import pytest

from events.errors import PersonErased, RecountError
from events.person import Contact, PersonDetails
from events.sealing import KEY_BYTES, new_key, seal, unseal

ADA = PersonDetails(
    handle="ada",
    name="Ada Lovelace",
    contacts=(Contact(channel="smtp", address="ada@example.org"), Contact(channel="console")),
    zone="Europe/London",
)


def test_the_key_opens_what_was_sealed_with_it():
    key = new_key()
    assert len(key) == KEY_BYTES
    assert unseal(seal(ADA, key, "per-ada"), key, "per-ada") == ADA


def test_the_sealed_text_names_nobody_and_is_never_the_same_twice():
    key = new_key()
    sealed = seal(ADA, key, "per-ada")
    assert not any(word in base64.b64decode(sealed) for word in (b"ada", b"Lovelace", b"example.org"))
    assert sealed != seal(ADA, key, "per-ada")


def test_without_its_key_a_person_is_erased():
    with pytest.raises(PersonErased, match="the key of per-ada was destroyed"):
        unseal(seal(ADA, new_key(), "per-ada"), None, "per-ada")


@pytest.mark.parametrize("damage", ["another key", "another person", "altered", "cut short", "not base64"])
def test_what_does_not_belong_together_does_not_open(damage: str):
    key = new_key()
    sealed = seal(ADA, key, "per-ada")
    raw = base64.b64decode(sealed)
    text, its_key, person = {
        "another key": (sealed, new_key(), "per-ada"),
        "another person": (sealed, key, "per-bob"),
        "altered": (base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(), key, "per-ada"),
        "cut short": (base64.b64encode(raw[:5]).decode(), key, "per-ada"),
        "not base64": ("!", key, "per-ada"),
    }[damage]
    with pytest.raises(RecountError, match="do not open with the key on this machine") as caught:
        unseal(text, its_key, person)
    assert "folder `people`" in caught.value.hint
