"""A slice in only the columns that projections name folds as the typed views do."""

import random

from projections.lens import beneath, main_schema
from projections.log_tables import category_table
from projections.narrow import narrowed
from tests.projections.histories import random_history
from tests.spec import empty_warehouse

EVENTS = 120


def test_every_stored_projection_is_the_same_over_narrow_tables():
    with empty_warehouse() as warehouse:
        warehouse.apply(random_history(random.Random(7), EVENTS))
        catalog = warehouse._catalog
        folds = [view for view in catalog.stored if view.refresh != "event"]
        with warehouse._root.cursor() as cursor:
            main = main_schema(cursor)
            facts = narrowed(catalog, beneath(catalog, frozenset(view.name for view in folds)))
            assert facts is not None
            facts.show(cursor, {each.category: f"from {main}.{category_table(each.category)}" for each in facts.facts})
            for view in folds:
                stored = cursor.execute(f'select * from {main}."{view.name}" order by all').fetchall()
                assert cursor.execute(f"select * from ({view.sql}) order by all").fetchall() == stored, view.name


def test_what_reads_the_whole_log_is_not_narrowed():
    with empty_warehouse() as warehouse:
        catalog = warehouse._catalog
    assert narrowed(catalog, beneath(catalog, frozenset({"incident_timeline"}))) is None


def test_a_column_that_nothing_names_is_left_out():
    with empty_warehouse() as warehouse:
        facts = narrowed(warehouse._catalog, beneath(warehouse._catalog, frozenset({"roles"})))
    assert facts is not None
    (incident,) = facts.facts
    assert '"role"' in incident.shape
    assert '"summary"' not in incident.shape
    assert "traceparent" not in incident.row_columns
