"""What every view and column means is said in the warehouse itself, and nothing is left out."""

from pathlib import Path

import duckdb

from projections.comments import DocumentedView
from projections.warehouse import Warehouse
from tests.spec import empty_warehouse, incident, log_of


def everything(warehouse: Warehouse) -> dict[str, DocumentedView]:
    return {view.name: view for view in warehouse.documented_views(typed=True)}


def test_every_column_of_every_view_is_documented():
    with empty_warehouse() as warehouse:
        views = everything(warehouse)
    silent = [f"{view.name}.{column}" for view in views.values() for column, text in view.meanings.items() if not text]
    assert not silent, (
        "say what these mean: in the header of the view's file (`-- column NAME: …`), by a docstring of the fact's "
        f"field, or in projections/columns.py: {silent}"
    )
    assert all(view.sentence and view.grain and view.key for view in views.values())


def test_a_text_comes_from_the_header_the_fact_or_the_name():
    with empty_warehouse() as warehouse:
        views = everything(warehouse)
    assert views["alerts"].meanings["state"] == "firing, acknowledged or cleared."
    assert views["incident_acknowledged"].meanings["automatic"].startswith("Acknowledged by a rule")
    assert views["incidents"].meanings["incident_id"] == views["pages"].meanings["incident_id"]
    assert views["log"].meanings["seq"] == views["incident_declared"].meanings["seq"]


def test_any_tool_that_reads_the_file_reads_the_texts(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply(log_of(incident("INC-1")))
        warehouse.rebuild()
        views = everything(warehouse)
    with duckdb.connect(path) as tool:
        # Whom the view `people` reads lives in memory; the tool has to look away, or bring its own.
        tool.execute("attach ':memory:' as recount_people")
        tool.execute("create table recount_people.people as select null as person_id, null as handle")
        sentences = dict(
            tool.execute(
                "select view_name, comment from duckdb_views() where not internal "
                "union all select table_name, comment from duckdb_tables() where database_name = current_database()"
            ).fetchall()
        )
        columns = {
            (table, column): comment
            for table, column, comment in tool.execute(
                "select table_name, column_name, comment from duckdb_columns() "
                "where database_name = current_database() and not internal"
            ).fetchall()
        }
    for view in views.values():
        assert sentences[view.name] == view.sentence
        for column, text in view.meanings.items():
            assert columns[view.name, column] == text, f"{view.name}.{column}"
