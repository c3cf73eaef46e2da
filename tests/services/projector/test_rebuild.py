"""A rebuild goes on when whoever asked for it leaves, and the next one goes on with what one that ended left behind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from events import Stored
from projections.storage import connect
from projections.warehouse import Warehouse
from services.keyring import Keyring
from services.projector import rebuild as rebuilding
from services.projector.rebuild import RebuildStopped, is_copy_of, open_beside
from services.projector.service import Projector
from tests.services.projector.test_projector import DEADLINE_S, Story, note

NOTES = 40


class SlowReading:
    """A log whose long reading waits after its second batch until it is told to go on; for the rest it is the log."""

    def __init__(self, story: Story, *, batch: int) -> None:
        self._log = story.log
        self._batch = batch
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()
        self.began_after: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def bulk(self, *, after: int, through: int) -> AsyncIterator[list[Stored]]:
        """See `EventLog.bulk`."""
        self.began_after.append(after)
        for start in range(after, through, self._batch):
            stop = min(start + self._batch, through)
            yield [stored async for batch in self._log.bulk(after=start, through=stop) for stored in batch]
            if start > after:
                self.reading.set()
                await self.go_on.wait()


@pytest.fixture
async def story() -> Story:
    told = Story()
    await told.tell("incident.INC-42", *(note() for _ in range(NOTES)))
    return told


@pytest.fixture
async def slow(story: Story, monkeypatch: pytest.MonkeyPatch) -> SlowReading:
    monkeypatch.setattr("services.projector.loading.LOAD_EVENTS", 10)
    return SlowReading(story, batch=10)


@pytest.fixture
async def projector(slow: SlowReading, tmp_path: Path) -> AsyncIterator[Projector]:
    following = Projector(slow, Keyring(tmp_path / "people"), tmp_path / "recount.duckdb")
    await following.start()
    assert await following.wait_for(NOTES, DEADLINE_S)
    slow.began_after.clear()
    yield following
    slow.go_on.set()
    await following.stop()


async def test_it_goes_on_without_its_asker_and_another_one_joins_it(projector: Projector, slow: SlowReading):
    running = projector.begin_rebuild()
    asker = asyncio.create_task(running.result())
    await slow.reading.wait()
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert not running.is_over
    assert projector.begin_rebuild() is running
    slow.go_on.set()
    assert await running.result() == NOTES
    assert projector.begin_rebuild() is not running


async def test_one_that_is_stopped_leaves_what_it_copied_and_the_next_goes_on(projector: Projector, slow: SlowReading):
    running = projector.begin_rebuild()
    steps = [step async for step in _until_copied(running, 10)]
    assert steps[-1].total == NOTES
    assert await projector.stop_rebuild()
    with pytest.raises(RebuildStopped):
        await running.result()
    slow.go_on.set()
    assert await projector.begin_rebuild().result() == NOTES
    first, second, *_ = slow.began_after
    assert first == 0
    assert second >= 10
    assert projector.warehouse.verify_views() == []
    assert not await projector.stop_rebuild()


async def _until_copied(running: rebuilding.Rebuild, events: int) -> AsyncIterator[rebuilding.Step]:
    """The steps until so many events are copied."""
    async with asyncio.timeout(DEADLINE_S):
        async for step in running.steps():
            yield step
            if step.done >= events:
                return


async def test_the_projections_alone_are_computed_without_reading_the_log(projector: Projector, slow: SlowReading):
    running = projector.begin_rebuild(projections_only=True)
    steps = [step async for step in running.steps()]
    assert await running.result() == NOTES
    assert steps[-1].doing == "projections"
    assert steps[-1].done == steps[-1].total
    assert slow.began_after == []


async def test_a_file_that_was_left_behind_is_gone_on_with(story: Story, tmp_path: Path):
    left = tmp_path / "left.duckdb"
    events = [stored async for batch in story.log.bulk(after=0, through=NOTES) for stored in batch]
    with Warehouse.open(left) as warehouse:
        warehouse.load(events[:15])
    with await open_beside(left, story.log) as warehouse:
        assert warehouse.position == 15
        # Nothing is computed before everything is there.
        assert warehouse.ask("select count(*) from incidents").rows == [(0,)]


@pytest.mark.parametrize("left", ["no database", "another schema", "another log", "a log that is longer"])
async def test_a_file_that_is_of_no_use_is_begun_anew(story: Story, tmp_path: Path, left: str):
    path = tmp_path / "left.duckdb"
    if left == "no database":
        path.write_bytes(b"not a database" * 1_000)
    else:
        other = Story()
        other.log._now = lambda: datetime(2025, 1, 1, tzinfo=UTC)
        await other.tell("incident.INC-42", *(note() for _ in range(NOTES + 5)))
        count = NOTES + 5 if left == "a log that is longer" else 15
        with Warehouse.open(path) as warehouse:
            warehouse.load([stored async for batch in other.log.bulk(after=0, through=count) for stored in batch])
        if left == "another schema":
            with connect(path, threads=1, memory_limit="1GB") as tampered:
                tampered.execute("update warehouse_state set schema_version = 999")
    with await open_beside(path, story.log) as warehouse:
        assert warehouse.position == 0


async def test_a_warehouse_knows_whether_it_is_of_a_log(story: Story, tmp_path: Path):
    events = [stored async for batch in story.log.bulk(after=0, through=NOTES) for stored in batch]
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        assert await is_copy_of(warehouse, story.log)
        warehouse.apply(events[:7])
        assert await is_copy_of(warehouse, story.log)
        other = Story()
        other.log._now = lambda: datetime(2025, 1, 1, tzinfo=UTC)
        await other.tell("incident.INC-42", *(note() for _ in range(NOTES)))
        assert not await is_copy_of(warehouse, other.log)


async def test_a_warehouse_of_another_log_is_built_again_although_that_log_is_longer(
    story: Story, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The log was put back from a backup, and new events were told since."""
    other = Story()
    other.log._now = lambda: datetime(2025, 1, 1, tzinfo=UTC)
    await other.tell("incident.INC-7", *(note() for _ in range(5)))
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        warehouse.apply([stored async for batch in other.log.bulk(after=0, through=5) for stored in batch])
    projector = Projector(story.log, Keyring(tmp_path / "people"), tmp_path / "recount.duckdb")
    await projector.start()
    try:
        assert await projector.wait_for(NOTES, DEADLINE_S)
        assert projector.warehouse.ask("select incident_id from incidents").rows == [("INC-42",)]
        assert "another event at the warehouse's position 5" in caplog.text
    finally:
        await projector.stop()


async def test_new_definitions_are_computed_in_the_background_at_a_start(story: Story, tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply([stored async for batch in story.log.bulk(after=0, through=10) for stored in batch])
    with connect(path, threads=1, memory_limit="1GB") as former:
        definitions = former.execute("select definitions from warehouse_state").fetchone()[0]
        # As a version would have kept it that said one thing otherwise of incidents.
        assert "from incident_facts" in definitions
        said, otherwise = "from incident_facts", "from  incident_facts"
        former.execute("update warehouse_state set definitions = replace(definitions, ?, ?)", [said, otherwise])
    projector = Projector(story.log, Keyring(tmp_path / "people"), path)
    await projector.start()
    try:
        assert await projector.wait_for(NOTES, DEADLINE_S)
        async with asyncio.timeout(DEADLINE_S):
            while await asyncio.to_thread(lambda: projector.upgrade or projector.warehouse.outdated):
                pass
        assert projector.warehouse.verify_views() == []
    finally:
        await projector.stop()
    with Warehouse.open(path) as warehouse:
        assert warehouse.outdated == frozenset()
