"""What a start writes into the log: credentials and configuration once, and again only what changed."""

from datetime import UTC, datetime
from typing import Any

from events import EventLog, Recorded
from events.audit import KeyCreated, SystemStarted, SystemStopped, TokenCreated
from events.memory_log import MemoryLog
from events.person import Contact
from services.clock import FakeClock
from services.command import Done, Order, Refused
from services.directory import Directory
from services.keyring import Keyring
from services.notifier.commands import ContactRules
from services.oncall.commands import parse
from services.oncall.people import People
from services.secrets import SOURCES, hash_secret, new_secrets
from services.settings import parse_settings
from services.supervisor.configuration import apply_settings, contact_of
from services.supervisor.first_facts import Presence, record_credentials

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLOCK = FakeClock(NOON)
PEOPLE = """
[people.ada]
name = "Ada Lovelace"
contacts = ["console:"]
"""


async def facts_of(log: EventLog, category: str) -> list[Recorded]:
    return await log.read_category(category)


async def test_credentials_are_recorded_once_and_only_as_hashes():
    log, secrets = MemoryLog(now=CLOCK.now), new_secrets()
    await record_credentials(log, secrets, CLOCK)
    await record_credentials(log, secrets, CLOCK)
    [token] = await facts_of(log, "token")
    keys = await facts_of(log, "key")
    assert token.fact == TokenCreated(scope="admin", secret_sha256=hash_secret(secrets.admin_token.secret))
    assert {recorded.fact.sender for recorded in keys if isinstance(recorded.fact, KeyCreated)} == set(SOURCES)
    for stored in [await log.get(seq) for seq in range(1, await log.last_position() + 1)]:
        assert stored is not None
        assert not any(key.secret.encode() in stored.body for key in secrets.keys.values())


async def test_a_process_says_that_it_started_and_stopped():
    log = MemoryLog(now=CLOCK.now)
    presence = Presence(log, CLOCK, "readers")
    await presence.started()
    await presence.stopped()
    started, stopped = await facts_of(log, "system")
    assert isinstance(started.fact, SystemStarted)
    assert stopped.fact == SystemStopped(process="readers")
    assert started.stream == stopped.stream


async def test_a_file_is_applied_once_and_then_only_what_changed(tmp_path):
    log, keyring = MemoryLog(now=CLOCK.now), Keyring(tmp_path)
    people = People(log, keyring, Directory(log, keyring), ContactRules())
    asked: list[str] = []

    async def ask(_service: str, verb: str, order: Order) -> Done:
        asked.append(verb)
        command: Any = parse(verb, bytes(order.command))
        return await people.handle(order, command)

    for text in (PEOPLE, PEOPLE, PEOPLE.replace("Lovelace", "King")):
        directory = Directory(log, keyring)
        assert await apply_settings(parse_settings(text, "recount.toml"), ask, directory, CLOCK) == 0
    assert asked == ["add_person", "change_person"]
    directory = Directory(log, keyring)
    await directory.refresh()
    ada = directory.by_handle("ada")
    assert ada is not None
    assert ada.name == "Ada King"


async def test_what_is_refused_is_counted_and_the_rest_is_applied(tmp_path):
    log, keyring = MemoryLog(now=CLOCK.now), Keyring(tmp_path)
    asked: list[str] = []

    async def ask(_service: str, verb: str, _order: Order) -> Done | Refused:
        asked.append(verb)
        if len(asked) == 1:
            return Refused(asked="Cannot add ada", because="no channel serves contacts fax:", instead="use smtp:")
        return Done(target="per-1", seq=1, message="added")

    settings = parse_settings(PEOPLE + '[people.bob]\nname = "Bob Kahn"', "recount.toml")
    assert await apply_settings(settings, ask, Directory(log, keyring), CLOCK) == 1
    assert asked == ["add_person", "add_person"]


def test_a_contact_of_our_own_channels_holds_an_address_and_others_the_whole_url():
    assert contact_of("smtp:ada@example.org") == Contact(channel="smtp", address="ada@example.org")
    assert contact_of("console:") == Contact(channel="console")
    assert contact_of("slack://a/b/c") == Contact(channel="slack", address="slack://a/b/c")
