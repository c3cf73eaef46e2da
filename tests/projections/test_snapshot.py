"""The snapshot: a file with everything the warehouse shows, at one position, which other programs open meanwhile."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from projections import snapshot
from projections.query import QueryRefused
from projections.snapshot import SnapshotRefused, read_snapshot, snapshot_paths
from projections.warehouse import Warehouse
from tests.projections.histories import random_history, seeds
from tests.spec import ADA, BOB

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PEOPLE = [(ADA, "ada", "Ada Zorglubina", "Europe/London", False), (BOB, None, None, None, True)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recount.duckdb"


def in_another_process(path: Path, sql: str) -> str:
    """What another program sees while this one has the warehouse open."""
    script = (
        "import duckdb, sys\n"
        "with duckdb.connect(sys.argv[1], read_only=True) as opened:\n"
        "    print(opened.execute(sys.argv[2]).fetchall())"
    )
    done = subprocess.run([sys.executable, "-c", script, path, sql], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def rows(path: Path, view: str) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as opened:
        return sorted(map(repr, opened.execute(f'from "{view}"').fetchall()))


def test_another_program_reads_it_while_the_warehouse_is_open(path: Path):
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 120))
        info = warehouse.write_snapshot(names=False, moment=NOON)
        target, writing = snapshot_paths(path)
        assert (info.position, info.written_at, info.has_names) == (120, NOON, False)
        assert read_snapshot(target) == info
        assert in_another_process(target, "select count(*), max(seq) from log") == "[(120, 120)]"
        assert in_another_process(target, "select position, has_names from snapshot_info") == "[(120, False)]"
        assert not writing.exists()


@pytest.mark.parametrize("seed", seeds(1))
def test_it_shows_what_the_warehouse_shows_also_when_it_goes_on_from_the_former_one(path: Path, seed: int):
    history = random_history(seed, 200)
    target, _writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        for position in (60, 61, 130, 200):  # retractions among them reach back before the former one
            warehouse.apply(history[:position])
            warehouse.write_snapshot(names=False, moment=NOON)
            for view in [view.name for view in warehouse.views()] + ["log", "history", "incident_facts"]:
                ours = sorted(map(repr, warehouse.ask(f'select * from "{view}"').rows))
                assert rows(target, view) == ours, view


def test_who_has_the_former_one_open_keeps_reading_it(path: Path):
    history = random_history(1, 60)
    target, _writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:20])
        warehouse.write_snapshot(names=False, moment=NOON)
        with duckdb.connect(str(target), read_only=True) as reader:
            warehouse.apply(history[20:])
            warehouse.write_snapshot(names=False, moment=NOON)
            assert reader.execute("select count(*) from log").fetchall() == [(20,)]
        assert in_another_process(target, "select count(*) from log") == "[(60,)]"


def test_names_are_left_out_and_who_was_erased_is_told(path: Path):
    target, _writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 20))
        warehouse.set_people(PEOPLE)
        warehouse.write_snapshot(names=False, moment=NOON)
    assert rows(target, "people") == sorted(map(repr, [(ADA, None, None, None, False), (BOB, None, None, None, True)]))
    assert b"Zorglubina" not in target.read_bytes()


def test_with_names_it_is_written_from_nothing_so_that_an_erased_one_is_gone(path: Path):
    target, _writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 20))
        warehouse.set_people(PEOPLE)
        assert warehouse.write_snapshot(names=True, moment=NOON).has_names
        assert b"Zorglubina" in target.read_bytes()
        warehouse.set_people([(ADA, None, None, None, True)])
        warehouse.write_snapshot(names=True, moment=NOON)
        assert b"Zorglubina" not in target.read_bytes()
        warehouse.set_people(PEOPLE)
        warehouse.write_snapshot(names=True, moment=NOON)
        warehouse.write_snapshot(names=False, moment=NOON)
        assert b"Zorglubina" not in target.read_bytes()


def test_a_former_one_of_another_log_is_not_gone_on_with(path: Path, tmp_path: Path):
    target, _writing = snapshot_paths(path)
    with Warehouse.open(tmp_path / "other" / "recount.duckdb") as other:
        other.apply(random_history(8, 50))
        other.write_snapshot(names=False, moment=NOON)
    shutil.copyfile(tmp_path / "other" / "snapshot.duckdb", target)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(9, 80))
        warehouse.write_snapshot(names=False, moment=NOON)
        expected = sorted(map(repr, warehouse.ask("select * from log").rows))
    assert rows(target, "log") == expected


@pytest.mark.parametrize("left", [b"", b"no database" * 1_000])
def test_what_a_kill_left_of_a_snapshot_does_no_harm(path: Path, left: bytes):
    target, writing = snapshot_paths(path)
    for file in (target, writing, Path(f"{writing}.wal")):
        file.write_bytes(left)
    assert read_snapshot(target) is None
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 20))
        assert warehouse.write_snapshot(names=False, moment=NOON).position == 20
        assert not writing.exists()


def test_without_room_the_former_one_stays_and_says_how_old_it_is(path: Path, monkeypatch: pytest.MonkeyPatch):
    target, _writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 20))
        former = warehouse.write_snapshot(names=False, moment=NOON)
        monkeypatch.setattr(snapshot.shutil, "disk_usage", lambda _path: SimpleNamespace(free=10 << 20))
        with pytest.raises(SnapshotRefused, match="no room for a snapshot: 10 MiB are free"):
            warehouse.write_snapshot(names=False, moment=NOON)
        assert read_snapshot(target) == former


def test_nobody_who_asks_can_reach_the_file_or_any_other(path: Path):
    target, writing = snapshot_paths(path)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 20))
        warehouse.write_snapshot(names=False, moment=NOON)
        for sql in (
            f"select * from '{target}'",
            f"select * from '{writing}'",
            f"select * from read_blob('{writing}')",
            f"attach '{writing}' as other",
            f"copy (select 1) to '{writing}'",
        ):
            with pytest.raises(QueryRefused):
                warehouse.ask_sandboxed(sql)
        assert not writing.exists()
