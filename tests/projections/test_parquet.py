"""The log as Parquet: every byte of it, in files that say what they hold, out of which a warehouse comes back."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec
import pytest

from events import Stored
from projections import parquet
from projections.manifest import (
    COLUMNS,
    FILE_NAME,
    BrokenExport,
    Manifest,
    Part,
    read_manifest,
    write_manifest,
)
from projections.parquet import NotLoaded, fill_from_parquet
from projections.storage import connect
from projections.warehouse import Warehouse
from tests.projections.exports import export_to
from tests.projections.histories import random_history, seeds
from tests.spec import empty_warehouse

ROOT = Path(__file__).resolve().parents[2]


def read(folder: Path, what: str) -> list[tuple]:
    with duckdb.connect() as other:
        files = f"read_parquet('{folder}/month=*/*.parquet', hive_partitioning = true)"
        return other.execute(f"select {what} from {files} order by seq").fetchall()


@pytest.mark.parametrize("seed", seeds(1))
def test_live_rebuild_and_from_parquet_agree_for_every_view(tmp_path: Path, seed: int):
    history = random_history(seed, 150)
    export_to(tmp_path / "export", history, events_a_part=40)
    fill_from_parquet(tmp_path / "other.duckdb", tmp_path / "export", read_manifest(tmp_path / "export"))
    with empty_warehouse(tmp_path) as live, Warehouse.open(tmp_path / "other.duckdb") as other:
        for stored in history:
            live.apply([stored])
        assert other.position == 150
        assert other.digests() == live.digests()
        assert other.digests(as_of=70) == live.digests(as_of=70)
        log = "select seq, recorded_at, event_id, source, data::varchar from log order by seq"
        assert other.ask(log).rows == live.ask(log).rows
        live.rebuild()
        assert other.digests() == live.digests()


def test_every_byte_of_an_event_is_there_also_of_one_that_cannot_be_read(tmp_path: Path):
    moment = datetime(2026, 3, 1, 0, 0, 0, 123_456, tzinfo=UTC)
    told = [
        Stored(1, "evt.incident.INC-1.noted", moment, b'{"id": "e", "type": "incident.noted", "data": {"text": "x"}}'),
        Stored(2, "evt.incident.INC-1.noted", moment, b"\xff\x00 no JSON"),
    ]
    export_to(tmp_path, told)
    assert read(tmp_path, "seq, subject, body, recorded_at, data") == [
        (1, told[0].subject, told[0].body, moment.replace(tzinfo=None), '{"text":"x"}'),
        (2, told[1].subject, told[1].body, moment.replace(tzinfo=None), None),
    ]


def test_a_file_holds_one_month_and_another_one_begins_with_the_next(tmp_path: Path):
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    told = [
        Stored(seq, "evt.incident.INC-1.noted", midnight + timedelta(seconds=seconds), b"{}")
        for seq, seconds in enumerate((-2, -1, 0, -1, 1), start=1)  # the log's clock may step back
    ]
    manifest = export_to(tmp_path, told)
    assert [(part.path.partition("/")[0], part.first, part.last) for part in manifest.parts] == [
        ("month=2026-03", 1, 2),
        ("month=2026-04", 3, 3),
        ("month=2026-03", 4, 4),
        ("month=2026-04", 5, 5),
    ]
    assert read(tmp_path, "seq, month") == [(n, "2026-03" if n in (1, 2, 4) else "2026-04") for n in range(1, 6)]


def test_the_manifest_says_the_type_of_every_column(tmp_path: Path):
    manifest = export_to(tmp_path, random_history(1, 20))
    with duckdb.connect() as other:
        described = other.execute(f"describe from read_parquet('{tmp_path}/month=*/*.parquet')").fetchall()
    assert {name: kind for name, kind, *_ in described} == {name: kind for name, (kind, _) in COLUMNS.items()}
    written = msgspec.json.decode((tmp_path / FILE_NAME).read_bytes())
    assert (written["first"], written["last"], written["events"]) == (1, 20, 20)
    assert set(written["columns"]) == set(COLUMNS)
    assert manifest == read_manifest(tmp_path)


def test_a_changed_file_is_named_and_nothing_of_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet, "PARTS_AT_ONCE", 1)
    manifest = export_to(tmp_path, random_history(2, 60), events_a_part=20)
    path = tmp_path / manifest.parts[1].path
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(BrokenExport, match=r"events-000000000021-000000000040\.parquet was changed"):
        fill_from_parquet(tmp_path / "new.duckdb", tmp_path, manifest)
    with Warehouse.open(tmp_path / "new.duckdb") as warehouse:
        assert warehouse.position == 20


def test_a_missing_file_is_named(tmp_path: Path):
    manifest = export_to(tmp_path, random_history(2, 60), events_a_part=20)
    (tmp_path / manifest.parts[2].path).unlink()
    with pytest.raises(BrokenExport, match=r"events-000000000041-000000000060\.parquet cannot be read: No such file"):
        fill_from_parquet(tmp_path / "new.duckdb", tmp_path, manifest)


def test_a_manifest_that_leaves_out_positions_is_refused(tmp_path: Path):
    manifest = export_to(tmp_path, random_history(2, 60), events_a_part=20)
    write_manifest(tmp_path, manifest.with_parts(manifest.parts[0], manifest.parts[2]))
    with pytest.raises(BrokenExport, match="holds the positions 41 to 60, but 21 comes next"):
        read_manifest(tmp_path)


def test_a_file_that_holds_other_positions_than_the_manifest_says_is_refused(tmp_path: Path):
    manifest = export_to(tmp_path, random_history(2, 30))
    (part,) = manifest.parts
    write_manifest(tmp_path, manifest.with_parts(msgspec.structs.replace(part, last=31)))
    with pytest.raises(BrokenExport, match="should hold each position from 1 to 31 once"):
        fill_from_parquet(tmp_path / "new.duckdb", tmp_path, read_manifest(tmp_path))


@pytest.mark.parametrize("path", ["../outside.parquet", "/etc/passwd"])
def test_a_manifest_cannot_name_files_outside_its_folder(tmp_path: Path, path: str):
    write_manifest(tmp_path, Manifest(log="").with_parts(Part(path=path, first=1, last=1, bytes=1, sha256="")))
    with pytest.raises(BrokenExport, match="lies outside its folder"):
        read_manifest(tmp_path)


def test_a_manifest_of_a_later_format_is_refused(tmp_path: Path):
    write_manifest(tmp_path, Manifest(log="", format="recount-log-parquet/2"))
    with pytest.raises(BrokenExport, match="recount-log-parquet/2") as refused:
        read_manifest(tmp_path)
    assert "newer" in refused.value.hint


def test_a_file_of_another_schema_is_not_filled(tmp_path: Path):
    manifest = export_to(tmp_path, random_history(1, 10))
    Warehouse.open(tmp_path / "old.duckdb").close()
    with connect(tmp_path / "old.duckdb", threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update warehouse_state set schema_version = 999")
    with pytest.raises(NotLoaded, match="schema version 999"):
        fill_from_parquet(tmp_path / "old.duckdb", tmp_path, manifest)


# Says each position that is copied; one file a transaction.
FILLING = """
import sys
from pathlib import Path
from projections import parquet
from projections.manifest import read_manifest
parquet.PARTS_AT_ONCE = 1
folder = Path(sys.argv[1])
parquet.fill_from_parquet(folder / "new.duckdb", folder, read_manifest(folder), lambda done, _: print(done, flush=True))
"""


def test_filling_that_was_killed_goes_on_where_it_stood(tmp_path: Path):
    history = random_history(5, 400)
    manifest = export_to(tmp_path, history, events_a_part=20)
    child = subprocess.Popen([sys.executable, "-c", FILLING, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout:
        while int(child.stdout.readline()) < 60:
            pass
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
    told: list[int] = []
    fill_from_parquet(tmp_path / "new.duckdb", tmp_path, manifest, lambda done, _: told.append(done))
    assert told[0] >= 60
    assert told[-1] == 400
    with Warehouse.open(tmp_path / "new.duckdb") as warehouse, empty_warehouse(tmp_path) as live:
        live.apply(history)
        assert warehouse.digests() == live.digests()
