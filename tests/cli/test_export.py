"""`recount export`: again and again into the same folder, and a warehouse built from it without anything running."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from projections.manifest import FILE_NAME, Manifest, read_manifest, write_manifest
from tests.cli.recount import Recount


def parts_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet*"))


def test_an_export_is_complete_and_grows_with_the_log(recount: Recount, played: str, tmp_path: Path):
    folder = tmp_path / "export"
    first = recount.do("export", "--parquet", str(folder), "--json").json
    manifest = read_manifest(folder)
    assert manifest is not None
    assert first["events"] == manifest.last > 0
    assert parts_of(folder) == [part.path for part in manifest.parts]
    for part in manifest.parts:
        assert hashlib.sha256((folder / part.path).read_bytes()).hexdigest() == part.sha256
    recount.do("note", played, "one more")
    again = recount.do("export", "--parquet", str(folder), "--json").json
    assert again["new"] >= 1
    # The file that had room was replaced by a longer one.
    assert len(parts_of(folder)) == len(manifest.parts)
    grown = read_manifest(folder)
    assert grown is not None
    assert parts_of(folder) == [part.path for part in grown.parts]
    assert grown.last == again["last"]


def test_exporting_again_changes_nothing_when_nothing_is_new(recount: Recount, played: str, tmp_path: Path):
    folder = tmp_path / "export"
    recount.do("export", "--parquet", str(folder))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "holds all" in recount.do("export", "--parquet", str(folder)).out
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_a_killed_export_left_is_cleared_away(recount: Recount, played: str, tmp_path: Path):
    folder = tmp_path / "export"
    recount.do("export", "--parquet", str(folder))
    expected = parts_of(folder)
    month = folder / Path(expected[0]).parent
    (month / "events-000000000001-000000000007.parquet").write_bytes(b"complete, but not in the manifest")
    (month / "events-000000000008-000000000009.parquet.writing").write_bytes(b"half")
    recount.do("export", "--parquet", str(folder))
    assert parts_of(folder) == expected


def test_a_folder_that_holds_something_else_is_left_alone(recount: Recount, played: str, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    refused = recount.refused("export", "--parquet", str(tmp_path))
    assert "holds thesis.txt" in str(refused)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(("change", "said"), [({"log": "0" * 64}, "another log"), ({"last": 9}, "ends at 9")])
def test_the_export_of_another_log_is_refused(
    recount: Recount, played: str, tmp_path: Path, change: dict[str, object], said: str
):
    recount.do("export", "--parquet", str(tmp_path))
    manifest = read_manifest(tmp_path)
    assert isinstance(manifest, Manifest)
    write_manifest(tmp_path, msgspec.structs.replace(manifest, **change))
    assert said in str(recount.refused("export", "--parquet", str(tmp_path)))


def test_an_export_holds_no_name_of_anybody(recount: Recount, played: str, tmp_path: Path):
    recount.do("export", "--parquet", str(tmp_path))
    assert "Lovelace" in recount.do("people", "list").out
    recount.do("rebuild", "--from-parquet", str(tmp_path), "--into", str(tmp_path / "other.duckdb"))
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"Lovelace" not in path.read_bytes(), path


def test_a_warehouse_from_an_export_says_what_the_live_one_says(recount: Recount, played: str, tmp_path: Path):
    from projections.warehouse import Warehouse

    recount.do("export", "--parquet", str(tmp_path / "export"))
    said = recount.do("rebuild", "--from-parquet", str(tmp_path / "export"), "--into", str(tmp_path / "other.duckdb"))
    assert "from" in said.out
    with Warehouse.open(tmp_path / "other.duckdb") as other:
        for view in ("incidents", "alerts", "incident_timeline", "pages"):
            live = recount.do("sql", f"select count(*) from {view}", "--as-of", str(other.position), "--json").json
            assert live["rows"] == [list(row) for row in other.ask(f"select count(*) from {view}").rows]


def test_a_file_that_is_there_is_not_written_over(recount: Recount, played: str, tmp_path: Path):
    recount.do("export", "--parquet", str(tmp_path / "export"))
    (tmp_path / "thesis.txt").write_text("mine")
    command = ("rebuild", "--from-parquet", str(tmp_path / "export"), "--into", str(tmp_path / "thesis.txt"))
    assert recount.refused(*command)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_broken_export_names_the_file(recount: Recount, played: str, tmp_path: Path):
    recount.do("export", "--parquet", str(tmp_path))
    path = tmp_path / parts_of(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-1])
    refused = recount.refused("rebuild", "--from-parquet", str(tmp_path), "--into", str(tmp_path / "other.duckdb"))
    assert path.name in str(refused)
    assert (tmp_path / FILE_NAME).exists()


def test_the_data_folder_of_a_running_platform_is_not_touched(recount: Recount, played: str, tmp_path: Path):
    recount.do("export", "--parquet", str(tmp_path))
    refused = recount.refused("rebuild", "--from-parquet", str(tmp_path))
    assert "already runs" in str(refused)
    assert "--into" in refused.hint


def test_the_manifest_is_read_without_recount(recount: Recount, played: str, tmp_path: Path):
    recount.do("export", "--parquet", str(tmp_path))
    said = msgspec.json.decode((tmp_path / FILE_NAME).read_bytes())
    assert {"format", "about", "log", "parts", "columns", "reading", "first", "last", "events"} == set(said)
    assert "read_parquet" in said["reading"]["duckdb"]
