"""The snapshot is kept fresh without being asked, and never holds a name that was erased."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from events.errors import BadConfiguration
from events.person import PersonAdded, PersonDetails, PersonErased
from events.sealing import seal
from projections.snapshot import SnapshotInfo, read_snapshot
from services.keyring import Keyring
from services.projector import snapshots
from services.projector.service import Projector
from services.settings import SnapshotSettings, parse_settings
from tests.services.projector.test_projector import ADA, DEADLINE_S, Story, note

EVERY_SECOND = SnapshotSettings(every="1 s")


async def until(path: Path, holds: Callable[[SnapshotInfo | None], bool]) -> SnapshotInfo | None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds(info := await asyncio.to_thread(read_snapshot, path)):
            pass
    return info


async def test_it_is_written_when_something_was_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(snapshots, "BUSY_SHARE_MAX", 1.0)
    story, target = Story(), tmp_path / "snapshot.duckdb"
    projector = Projector(story.log, Keyring(tmp_path / "people"), tmp_path / "recount.duckdb", EVERY_SECOND)
    await projector.start()
    try:
        for _ in range(2):
            position = await story.tell("incident.INC-42", note())
            await until(target, lambda info, position=position: info is not None and info.position == position)
        status = await projector.snapshots.status()
        assert (status.every_s, status.trouble, status.path) == (1, "", str(target))
    finally:
        await projector.stop()


@pytest.mark.parametrize("names", [True, False])
async def test_an_erased_name_is_in_no_snapshot(tmp_path: Path, names: bool):
    story, target, keyring = Story(), tmp_path / "snapshot.duckdb", Keyring(tmp_path / "people")
    settings = SnapshotSettings(every="1 h", names=names)
    projector = Projector(story.log, keyring, tmp_path / "recount.duckdb", settings)
    await projector.start()
    try:
        sealed = seal(PersonDetails(handle="ada", name="Ada Zorglubina"), keyring.create(ADA), ADA)
        assert await projector.wait_for(await story.tell(f"person.{ADA}", PersonAdded(sealed=sealed)), DEADLINE_S)
        await projector.snapshots.refresh()
        assert (b"Zorglubina" in target.read_bytes()) == names
        keyring.destroy(ADA)
        position = await story.tell(f"person.{ADA}", PersonErased(reason="left"))
        assert await projector.wait_for(position, DEADLINE_S)
        if names:  # at once, although the hour is not over
            await until(target, lambda info: info is not None and info.position == position)
        assert b"Zorglubina" not in target.read_bytes()
    finally:
        await projector.stop()


async def test_names_that_are_no_longer_wanted_go_at_the_next_start(tmp_path: Path):
    story, target = Story(), tmp_path / "snapshot.duckdb"
    await story.tell("incident.INC-42", note())
    for names in (True, False):
        settings = SnapshotSettings(every="1 h", names=names)
        projector = Projector(story.log, Keyring(tmp_path / "people"), tmp_path / "recount.duckdb", settings)
        await projector.start()
        try:
            if names:
                assert await projector.wait_for(1, DEADLINE_S)
                await projector.snapshots.refresh()
            else:
                await until(target, lambda info: info is None)
        finally:
            await projector.stop()


@pytest.mark.parametrize(("text", "seconds"), [("30 s", 30), ("5min", 300), ("2 h", 7_200), ("off", None)])
def test_how_often_is_said_with_a_unit(text: str, seconds: int | None):
    assert parse_settings(f'[snapshot]\nevery = "{text}"', "recount.toml").snapshot.every_s == seconds


@pytest.mark.parametrize("text", ["5", "0 s", "often", "5 days", "-1 s"])
def test_a_time_that_cannot_be_read_is_refused(text: str):
    with pytest.raises(BadConfiguration, match=r"snapshot\.every: expected a time such as"):
        parse_settings(f'[snapshot]\nevery = "{text}"', "recount.toml")
