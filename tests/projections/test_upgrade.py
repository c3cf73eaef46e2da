"""A version with other definitions: only what they change is computed, beside what answers, and then all at once."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import pytest

from projections.catalog import FOLDER, Catalog, read_catalog
from projections.definitions import changed, decode_definitions, encode_definitions
from projections.warehouse import Warehouse
from tests.projections.histories import random_history, seeds

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def version(tmp_path: Path) -> Callable[..., Catalog]:
    """The definitions of a version of which some files were edited; None removes a file."""

    def edited(**files: str | Callable[[str], str] | None) -> Catalog:
        folder = tmp_path / f"version-{len(list(tmp_path.glob('version-*')))}"
        for path in FOLDER.rglob("*.sql"):
            target = folder / path.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        for name, edit in files.items():
            path = next(folder.rglob(f"{name}.sql"), folder / f"{name}.sql")
            if edit is None:
                path.unlink()
            else:
                path.write_text(edit(path.read_text()) if callable(edit) else edit)
        return read_catalog(folder)

    return edited


def with_column(sql: str) -> str:
    """Another definition of a projection: the same with one more column."""
    header = "".join(line for line in sql.splitlines(keepends=True) if line.startswith("--"))
    return f"{header}select *, 1 as one from (\n{sql.removeprefix(header)}\n) as former\n"


def rows(warehouse: Warehouse, view: str) -> list[tuple]:
    return warehouse.ask(f'select * from "{view}"').rows


def leftovers(warehouse: Warehouse) -> list[str]:
    return [name for (name,) in warehouse.ask("show tables").rows if name.startswith("next_")]


def test_only_what_changed_and_what_reads_it_is_computed(tmp_path: Path, version: Callable[..., Catalog]):
    path, history = tmp_path / "recount.duckdb", random_history(1, 120)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history)
        actions = len(rows(warehouse, "action_items"))
        assert actions
        # So that one sees whether it was computed again.
        warehouse._root.cursor().execute("update action_items set text = 'as it was stored'")
    with Warehouse.open(path, catalog=version(alerts=with_column)) as warehouse:
        assert "alerts" in warehouse.outdated
        assert "action_items" not in warehouse.outdated
        warehouse.upgrade()
        assert warehouse.outdated == frozenset()
        assert {row["one"] for row in warehouse.ask("select one from alerts").dicts()} == {1}
        assert len(rows(warehouse, "action_items")) == actions
        assert warehouse.ask("select distinct text from action_items").rows == [("as it was stored",)]
        assert leftovers(warehouse) == []


def test_the_former_definitions_answer_and_follow_until_the_new_ones_are_there(
    tmp_path: Path, version: Callable[..., Catalog]
):
    path, history = tmp_path / "recount.duckdb", random_history(2, 160)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:100])
    with Warehouse.open(path, catalog=version(alerts=with_column)) as warehouse:
        warehouse.apply(history[100:130])
        assert warehouse.outdated
        assert warehouse.verify_views() == []
        assert "one" not in {
            column.name for view in warehouse.views() if view.name == "alerts" for column in view.columns
        }
        warehouse.upgrade()
        warehouse.apply(history[130:])
        assert warehouse.verify_views() == []
        assert warehouse.ask("select count(*) from alerts where one = 1").rows[0][0] > 0


@pytest.mark.parametrize("seed", seeds(2))
def test_what_is_applied_while_the_new_definitions_are_computed_is_in_them(
    tmp_path: Path, version: Callable[..., Catalog], seed: int
):
    path, history = tmp_path / "recount.duckdb", random_history(seed, 200)
    new = version(incidents=with_column, alerts=with_column)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:80])
    dice = random.Random(seed)
    with Warehouse.open(path, catalog=new) as warehouse:
        # After each projection something is applied, which that one can no longer see.
        warehouse.upgrade(
            lambda _done, _total: warehouse.apply(history[: warehouse.position + dice.choice((1, 4, 20))])
        )
        assert warehouse.position > 80
        assert warehouse.verify_views() == []
        with Warehouse.open(tmp_path / "fresh.duckdb", catalog=new) as fresh:
            fresh.apply(history[: warehouse.position])
            assert warehouse.digests() == fresh.digests()


def test_a_view_that_is_not_stored_is_just_defined_anew(tmp_path: Path, version: Callable[..., Catalog]):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(1, 60))
    with Warehouse.open(path, catalog=version(dead_letters_told=ALONE)) as warehouse:
        assert warehouse.outdated == frozenset()
        assert rows(warehouse, "dead_letters_told") == [(60,)]


ALONE = """-- How many events there are.
-- grain: one row
-- key: events
-- refresh: view
select count(*) as events from log
"""


def test_projections_come_and_go_and_change_their_kind(tmp_path: Path, version: Callable[..., Catalog]):
    path, history = tmp_path / "recount.duckdb", random_history(3, 120)
    stored = version(
        said="-- What was said.\n-- grain: one row a note\n-- key: stream_id, seq\n-- refresh: stream\n"
        "select stream_id, seq, text from incident_noted\n"
    )
    viewed = version(
        said="-- What was said.\n-- grain: one row a note\n-- key: stream_id, seq\n-- refresh: view\n"
        "select stream_id, seq, text from incident_noted\n"
    )
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:100])
    for catalog in (stored, viewed, stored):
        with Warehouse.open(path, catalog=catalog) as warehouse:
            warehouse.upgrade()
            assert len(rows(warehouse, "said")) > 0
            assert warehouse.verify_views() == []
    with Warehouse.open(path) as warehouse:
        warehouse.upgrade()
        warehouse.apply(history[100:])
        assert ("said",) not in warehouse.ask("show tables").rows
        assert warehouse.verify_views() == []


def test_a_rebuild_meanwhile_makes_the_upgrade_needless(tmp_path: Path, version: Callable[..., Catalog]):
    path, history = tmp_path / "recount.duckdb", random_history(4, 100)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history)
    with Warehouse.open(path, catalog=version(alerts=with_column)) as warehouse:
        warehouse.upgrade(lambda done, _total: warehouse.rebuild() if done == 1 else None)
        assert warehouse.outdated == frozenset()
        assert leftovers(warehouse) == []
        assert warehouse.verify_views() == []


def test_the_definitions_that_a_file_keeps_are_read_again():
    catalog = read_catalog()
    kept = decode_definitions(encode_definitions(catalog))
    assert kept == catalog
    assert changed(kept, catalog) == ()
    assert decode_definitions("of an earlier version") is None


def test_a_typed_view_that_changes_makes_what_reads_it_outdated():
    new = read_catalog()
    typed = tuple(
        msgspec.structs.replace(each, sql=each.sql + " and true") if each.name == "review_facts" else each
        for each in new.typed
    )
    assert "action_items" in changed(msgspec.structs.replace(new, typed=typed), new)
    assert "alerts" not in changed(msgspec.structs.replace(new, typed=typed), new)


# Is killed while it computes: it says so after each projection.
UPGRADING = """
import sys
from pathlib import Path
from projections.catalog import read_catalog
from projections.warehouse import Warehouse
warehouse = Warehouse.open(sys.argv[1], catalog=read_catalog(Path(sys.argv[2])))
warehouse.upgrade(lambda done, total: print(done, flush=True))
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("when", ["1", "done"])
def test_a_kill_while_upgrading_loses_nothing(tmp_path: Path, version: Callable[..., Catalog], when: str):
    path, history = tmp_path / "recount.duckdb", random_history(6, 150)
    new = version(incidents=with_column)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history)
    child = subprocess.Popen(
        [sys.executable, "-c", UPGRADING, path, tmp_path / "version-0"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    while child.stdout.readline().strip() != when:
        pass
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=10)
    with Warehouse.open(path, catalog=new) as warehouse:
        assert bool(warehouse.outdated) == (when != "done")
        warehouse.upgrade()
        assert warehouse.verify_views() == []
        assert leftovers(warehouse) == []


def test_a_definition_that_cannot_be_computed_leaves_the_former_ones_answering(
    tmp_path: Path, version: Callable[..., Catalog]
):
    path, history = tmp_path / "recount.duckdb", random_history(7, 80)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history)
        expected = warehouse.digests()
    broken = version(alerts=lambda sql: with_column(sql).replace("1 as one", "error('impossible') as one"))
    with Warehouse.open(path, catalog=broken) as warehouse:
        with pytest.raises(duckdb.Error, match="impossible"):
            warehouse.upgrade()
        assert warehouse.digests() == expected
        assert leftovers(warehouse) == []
