"""What an upgrade would change is known before anything does: which figures, from which to which."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from projections.catalog import Catalog
from projections.preview import PreviewImpossible, ViewChange, preview
from projections.storage import connect
from projections.warehouse import Warehouse
from tests.projections.histories import random_history
from tests.projections.test_upgrade import version, with_column

__all__ = ["version"]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A warehouse of the present version, at rest, with its snapshot."""
    found = tmp_path / "recount.duckdb"
    with Warehouse.open(found) as warehouse:
        warehouse.apply(random_history(1, 200))
        warehouse.write_snapshot(names=False, moment=NOON)
    return found


def change_of(path: Path, catalog: Catalog, view: str) -> ViewChange:
    return next(change for change in preview(path, catalog).changes if change.view == view)


def one_more_measured(sql: str) -> str:
    """Another definition of a figure."""
    return with_column(sql).replace("*, 1 as one", "* replace (measured + 1 as measured)")


def test_the_same_definitions_change_nothing(path: Path):
    assert preview(path).changes == ()
    assert preview(path).position == 200


@pytest.mark.parametrize("file", ["recount.duckdb", "snapshot.duckdb"])
def test_a_row_that_would_say_something_else_is_shown_with_both(path: Path, version: Callable[..., Catalog], file: str):
    later = version(
        metric_summary=lambda sql: with_column(sql).replace("*, 1 as one", "* replace (measured + 1 as measured)")
    )
    before = path.read_bytes()
    change = change_of(path.with_name(file), later, "metric_summary")
    assert change.differing == change.rows_before == change.rows_after == len(change.examples) > 0
    for example in change.examples:
        assert set(example.key) >= {"metric"}
        assert example.before is not None
        assert example.after == {"measured": example.before["measured"] + 1}
    assert path.read_bytes() == before


def test_what_reads_a_changed_projection_is_compared_with_it(path: Path, version: Callable[..., Catalog]):
    later = version(action_items=lambda sql: f"{sql}\nlimit 0")
    found = {change.view: change for change in preview(path, later).changes}
    assert found["action_items"].gone == found["action_items"].rows_before > 0
    assert "alerts" not in found


def test_new_columns_and_views_and_those_that_go_are_told(path: Path, version: Callable[..., Catalog]):
    later = version(alerts=with_column, action_items=None, open_work=None, said=SAID)
    found = {change.view: change for change in preview(path, later).changes}
    assert found["alerts"].columns_new == ("one",)
    assert found["alerts"].differing == 0
    assert (found["action_items"].rows_after, found["said"].rows_before) == (None, None)
    assert found["said"].new == 200


SAID = "-- Everything.\n-- grain: one row\n-- key: seq\n-- refresh: view\nselect seq from log\n"


def test_a_file_that_does_not_say_its_definitions_is_refused(path: Path):
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update warehouse_state set definitions = 'of an earlier version'")
    with pytest.raises(PreviewImpossible, match="does not say by which definitions"):
        preview(path)


def test_a_file_of_another_schema_is_refused(path: Path):
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update warehouse_state set schema_version = 999")
    with pytest.raises(PreviewImpossible, match="schema version 999"):
        preview(path)


def test_a_file_that_is_no_warehouse_is_refused(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine" * 1_000)
    with pytest.raises(PreviewImpossible, match="cannot be compared"):
        preview(tmp_path / "thesis.txt")
