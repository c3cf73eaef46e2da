"""Integration keys: a new secret beside the former one, and that a key is used."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from events import NOTHING, Event, Write
from events.audit import KeyCreated, KeyRevoked, KeyRotated, KeyUsed
from events.memory_log import MemoryLog
from events.receipt import NATS_INTEGRATION, Receipt
from services.command import Done, Refused
from services.intake.adapters import adapters, sender_names
from services.intake.commands import CreateKey, RevokeKey, RotateKey
from services.intake.key_uses import KeyUses
from services.intake.keys import Keys, secret_sha256
from tests.services.intake.stack import Stack, eventually

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def keys_with(*facts) -> Keys:
    """Keys after facts about key-1."""
    log = MemoryLog(lambda: NOON)
    events = tuple(Event(id=str(number), fact=fact, happened_at=NOON, source="t") for number, fact in enumerate(facts))
    await log.append(Write("key.key-1", NOTHING, events))
    keys = Keys(log)
    await keys.refresh()
    return keys


def test_the_names_of_senders_are_known_without_loading_them():
    assert sender_names() == sorted(adapters())


async def test_the_former_secret_is_accepted_until_its_moment():
    created = KeyCreated(sender="json", secret_sha256=secret_sha256("old"))
    rotated = KeyRotated(secret_sha256=secret_sha256("new"), former_until_at=NOON + timedelta(hours=1))
    keys = await keys_with(created, rotated)
    found = [await keys.find(secret, NOON) for secret in ("new", "old")]
    assert found[0] is not None
    assert found[0] == found[1]
    assert await keys.find("old", NOON + timedelta(hours=1)) is None
    again = KeyRotated(secret_sha256=secret_sha256("newer"))
    keys = await keys_with(created, rotated, again)
    assert [await keys.find(secret, NOON) is not None for secret in ("old", "new", "newer")] == [False, False, True]
    keys = await keys_with(created, rotated, KeyRevoked())
    assert [(await keys.find(secret, NOON)).is_revoked for secret in ("old", "new")] == [True, True]


async def test_a_rotated_key_works_with_both_secrets_and_then_with_one(intake: Stack):
    new, newest = uuid4().hex, uuid4().hex
    rotated = await intake.order(RotateKey(secret_sha256=secret_sha256(new), former_for_s=3_600), target="key-json")
    assert isinstance(rotated, Done)
    assert rotated.message == "key-json has a new secret; the former one is accepted for another 1 h."
    for secret in (new, intake.secrets["json"]):
        assert (await intake.post(f"/hooks/json/{secret}", {"title": "disk full"})).status_code == 202
    await intake.order(RotateKey(secret_sha256=secret_sha256(newest)), target="key-json")
    assert (await intake.post(f"/hooks/json/{newest}", {"title": "disk full"})).status_code == 202

    async def is_shut() -> bool:
        answers = [await intake.post(f"/hooks/json/{old}", {"title": "x"}) for old in (new, intake.secrets["json"])]
        return [answer.status_code for answer in answers] == [401, 401]

    await eventually(is_shut, "former secrets are refused")


async def test_what_cannot_be_rotated_is_refused(intake: Stack):
    digest = secret_sha256(uuid4().hex)
    assert isinstance(await intake.order(RotateKey(secret_sha256=digest), target="nothing"), Refused)
    assert isinstance(await intake.order(RotateKey(secret_sha256="no digest"), target="key-json"), Refused)
    assert isinstance(await intake.order(RotateKey(secret_sha256=digest, former_for_s=-1), target="key-json"), Refused)
    same = await intake.order(RotateKey(secret_sha256=secret_sha256(intake.secrets["json"])), target="key-json")
    assert isinstance(same, Done)
    assert same.seq == 0
    taken = RotateKey(secret_sha256=secret_sha256(intake.secrets["pagerduty"]))
    assert isinstance(await intake.order(taken, target="key-json"), Refused)
    assert isinstance(await intake.order(RotateKey(secret_sha256=digest), target="key-json"), Done)
    back = RotateKey(secret_sha256=secret_sha256(intake.secrets["json"]))
    assert isinstance(await intake.order(back, target="key-json"), Refused)
    other = CreateKey(sender="json", secret_sha256=secret_sha256(intake.secrets["json"]))
    assert isinstance(await intake.order(other), Refused), "a former secret belongs to its key still"
    await intake.order(RevokeKey(), target="key-json")
    fresh = RotateKey(secret_sha256=secret_sha256(uuid4().hex))
    assert isinstance(await intake.order(fresh, target="key-json"), Refused)


@pytest.fixture
async def log() -> MemoryLog:
    """A log with one key."""
    log = MemoryLog(lambda: NOON)
    created = KeyCreated(sender="json", secret_sha256=secret_sha256("secret"))
    await log.append(Write("key.key-1", NOTHING, (Event(id="1", fact=created, happened_at=NOON, source="t"),)))
    return log


async def test_a_key_is_told_to_be_used_once_a_day(log: MemoryLog):
    def receipt(seq: int, hours: int, key: str = "key-1") -> Receipt:
        return Receipt(seq=seq, source="json", integration=key, received_at=NOON + timedelta(hours=hours), body=b"")

    one, other = KeyUses(log), KeyUses(log)
    await one.told_by([receipt(1, 0), receipt(2, 1), receipt(3, 0, NATS_INTEGRATION), receipt(4, 0, "unknown")])
    await other.told_by([receipt(5, 2), receipt(6, 20)])
    await one.told_by([receipt(7, 21), receipt(8, 3)])
    uses = [one.fact for one in await log.read("key.key-1") if isinstance(one.fact, KeyUsed)]
    assert [used.receipt_seq for used in uses] == [1, 6]


async def test_using_a_key_is_told_from_what_was_translated(intake: Stack):
    for _ in range(3):
        await intake.post(intake.hook("json"), {"title": "disk full"})

    async def is_told() -> bool:
        return [one.fact for one in await intake.log.read("key.key-json") if isinstance(one.fact, KeyUsed)] != []

    await eventually(is_told, "the use of the key is told")
    assert (await intake.names("key")).count("KeyUsed") == 1
