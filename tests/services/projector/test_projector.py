"""The projector: follows the log, tells who waits, survives damage to its file, and knows people by their keys."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events import NOTHING, Event, Fact, LogUnavailable, Stored, Write
from events.incident import IncidentDeclared, Noted
from events.memory_log import MemoryLog
from events.person import PersonAdded, PersonChanged, PersonDetails, PersonErased
from events.sealing import new_key, seal
from projections.warehouse import Warehouse
from services.keyring import Keyring
from services.projector.service import Projector

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DEADLINE_S = 60.0
ADA = "per-ada4k7m2nq"


class Story:
    """Writes to a log, without minding versions."""

    def __init__(self) -> None:
        self.log = MemoryLog(now=lambda: NOW)
        self._versions: dict[str, int] = {}

    async def tell(self, stream: str, *facts: Fact) -> int:
        for fact in facts:
            event_id = f"event-{await self.log.last_position() + 1}"
            event = Event(id=event_id, fact=fact, happened_at=NOW, source="recount/test")
            self._versions[stream] = await self.log.append(Write(stream, self._versions.get(stream, NOTHING), (event,)))
        return self._versions[stream]


class Away:
    """A log that does not answer when all of it is asked for, a few times."""

    def __init__(self, log: MemoryLog, times: int) -> None:
        self._log = log
        self._times = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    def bulk(self, *, after: int, through: int) -> AsyncIterator[Sequence[Stored]]:
        """See `EventLog.bulk`."""
        if self._times:
            self._times -= 1
            raise LogUnavailable("no answer")
        return self._log.bulk(after=after, through=through)


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "people")


@pytest.fixture
async def projector(story: Story, keyring: Keyring, tmp_path: Path) -> AsyncIterator[Projector]:
    following = Projector(story.log, keyring, tmp_path / "warehouse" / "recount.duckdb")
    await following.start()
    yield following
    await following.stop()


def _last_seqs(warehouse: Warehouse) -> list[tuple[str, int]]:
    return warehouse.ask("select incident_id, last_seq from incidents").rows


def note(text: str = "looking") -> Noted:
    return Noted(text=text)


async def test_what_is_appended_shows_up_and_who_waits_is_told(projector: Projector, story: Story):
    heard: list[int] = []
    stop_listening = projector.listen(heard.append)
    position = await story.tell("incident.INC-42", IncidentDeclared(title="checkout is down", severity="sev1"))
    assert await projector.wait_for(position, DEADLINE_S)
    assert projector.warehouse.ask("select title from incidents").rows == [("checkout is down",)]
    stop_listening()
    assert await projector.wait_for(await story.tell("incident.INC-42", note()), DEADLINE_S)
    assert heard == [1]


async def test_waiting_for_a_position_that_does_not_come_ends(projector: Projector):
    assert not await projector.wait_for(1, 0.05)


async def test_a_restart_goes_on_from_the_stored_position(story: Story, keyring: Keyring, tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    for _ in range(2):
        position = await story.tell("incident.INC-42", note(), note())
        projector = Projector(story.log, keyring, path)
        await projector.start()
        assert await projector.wait_for(position, DEADLINE_S)
        await projector.stop()
    with Warehouse.open(path) as warehouse:
        assert warehouse.ask("select count(*) from log").rows == [(4,)]
        assert warehouse.verify_views() == []


@pytest.mark.parametrize("damage", ["no database", "another schema", "another log"])
async def test_a_file_that_cannot_be_used_is_built_again_from_the_log(
    story: Story, keyring: Keyring, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "recount.duckdb"
    if damage == "no database":
        path.write_bytes(b"not a database" * 1_000)
    else:
        elsewhere = Story()
        await elsewhere.tell("incident.INC-1", *(note() for _ in range(50)))
        with Warehouse.open(path) as other:
            other.apply([stored async for batch in elsewhere.log.bulk(after=0, through=50) for stored in batch])
            if damage == "another schema":
                other._writer.execute("update warehouse_state set schema_version = 999")
    await story.tell("incident.INC-42", note(), note())
    projector = Projector(story.log, keyring, path)
    await projector.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while await asyncio.to_thread(_last_seqs, projector.warehouse) != [("INC-42", 2)]:
                pass
        assert "built again from the log" in caplog.text
    finally:
        await projector.stop()


async def test_a_log_that_is_away_while_it_builds_again_delays_that_and_no_more(
    story: Story, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The warehouse is a copy of another log, and this one does not answer at first when all of it is asked for."""
    monkeypatch.setattr("services.projector.service.RETRY_PAUSES_S", (0.01,))
    path = tmp_path / "recount.duckdb"
    elsewhere = Story()
    await elsewhere.tell("incident.INC-1", note(), note(), note())
    with Warehouse.open(path) as other:
        other.apply([stored async for batch in elsewhere.log.bulk(after=0, through=3) for stored in batch])
    position = await story.tell("incident.INC-42", note(), note())
    projector = Projector(Away(story.log, times=3), keyring, path)  # type: ignore[arg-type]
    await projector.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            while await asyncio.to_thread(_last_seqs, projector.warehouse) != [("INC-42", position)]:
                pass
        assert await projector.wait_for(await story.tell("incident.INC-42", note()), DEADLINE_S)
    finally:
        await projector.stop()


async def test_far_behind_it_copies_first_and_then_follows(
    story: Story, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.projector.service.FOLLOW_BEHIND_MAX", 10)
    monkeypatch.setattr("services.projector.loading.LOAD_EVENTS", 7)
    position = await story.tell("incident.INC-42", *(note(f"note {n}") for n in range(25)))
    projector = Projector(story.log, keyring, tmp_path / "recount.duckdb")
    await projector.start()
    try:
        assert await projector.wait_for(position, DEADLINE_S)
        assert await projector.wait_for(await story.tell("incident.INC-42", note()), DEADLINE_S)
        assert projector.warehouse.verify_views() == []
    finally:
        await projector.stop()


async def test_a_rebuild_goes_on_beside_while_events_arrive_and_people_ask(projector: Projector, story: Story):
    position = await story.tell("incident.INC-42", *(note() for _ in range(20)))
    assert await projector.wait_for(position, DEADLINE_S)
    steps: list[tuple[int, int]] = []
    rebuilding = asyncio.create_task(projector.rebuild(lambda done, total: steps.append((done, total))))
    while not rebuilding.done():
        position = await story.tell("incident.INC-42", note())
        assert await projector.wait_for(position, DEADLINE_S)
        (row,) = (await asyncio.to_thread(projector.warehouse.ask, "select last_seq from incidents")).rows
        assert row[0] >= position
    assert await rebuilding >= 20
    assert steps[-1][0] == steps[-1][1] >= 20
    assert await projector.wait_for(await story.tell("incident.INC-42", note()), DEADLINE_S)
    assert projector.warehouse.verify_views() == []


async def test_people_have_names_until_their_key_is_gone(projector: Projector, story: Story, keyring: Keyring):
    key = keyring.create(ADA)
    added = PersonDetails(handle="ada", name="Ada Lovelace", zone="Europe/London")
    await story.tell(f"person.{ADA}", PersonAdded(sealed=seal(added, key, ADA)))
    changed = PersonDetails(handle="ada", name="Ada King", zone="Europe/London")
    position = await story.tell(f"person.{ADA}", PersonChanged(sealed=seal(changed, key, ADA)))
    assert await projector.wait_for(position, DEADLINE_S)
    people = "select * from people"
    assert projector.warehouse.ask(people).rows == [(ADA, "ada", "Ada King", "Europe/London", False)]
    keyring.destroy(ADA)
    position = await story.tell(f"person.{ADA}", PersonErased(reason="left"))
    assert await projector.wait_for(position, DEADLINE_S)
    assert projector.warehouse.ask(people).rows == [(ADA, None, None, None, True)]


def files_that_say(text: bytes, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]


async def test_people_have_their_names_again_after_a_restart_and_a_rebuild_and_no_file_does(
    projector: Projector, story: Story, keyring: Keyring, tmp_path: Path
):
    details = PersonDetails(handle="zorglubina", name="Zorglubina Lovelace")
    position = await story.tell(f"person.{ADA}", PersonAdded(sealed=seal(details, keyring.create(ADA), ADA)))
    assert await projector.wait_for(position, DEADLINE_S)
    await projector.stop()
    await projector.start()
    handles = "select handle from people"
    assert projector.warehouse.ask(handles).rows == [("zorglubina",)]
    await projector.rebuild()
    assert projector.warehouse.ask(handles).rows == [("zorglubina",)]
    assert await asyncio.to_thread(files_that_say, b"orglubina", tmp_path) == []


async def test_a_person_whose_key_is_not_here_has_no_name_and_hides_nobody(
    projector: Projector, story: Story, keyring: Keyring
):
    details = PersonDetails(handle="ada", name="Ada Lovelace")
    for person_id in ("per-bob9c2d4f6", ADA):
        keyring.create(person_id)
    await story.tell("person.per-bob9c2d4f6", PersonAdded(sealed=seal(details, new_key(), "per-bob9c2d4f6")))
    position = await story.tell(f"person.{ADA}", PersonAdded(sealed=seal(details, keyring.create(ADA), ADA)))
    assert await projector.wait_for(position, DEADLINE_S)
    rows = projector.warehouse.ask("select person_id, handle, erased from people order by person_id").rows
    assert rows == [(ADA, "ada", False), ("per-bob9c2d4f6", None, False)]


async def test_a_body_that_is_no_event_does_not_stop_it(projector: Projector, story: Story):
    story.log.store_raw("evt.incident.INC-42.noted", b"not json", "raw-1")
    position = await story.tell("incident.INC-41", note())
    assert await projector.wait_for(position, DEADLINE_S)
    assert projector.warehouse.ask("select seq from unreadable_events").rows == [(1,)]
    assert projector.trouble == ""
