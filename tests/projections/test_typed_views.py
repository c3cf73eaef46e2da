"""Typed views: the same values and headlines in SQL as in Python, for every fact class."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from events import FACT_TYPES, Stored, decode, headline
from events.fact import category_of, tag_of
from projections.typed_views import column_name, typed_views, view_name
from projections.warehouse import Warehouse
from tests.events.examples import GOLDEN
from tests.spec import MORNING, empty_warehouse


@pytest.fixture(scope="module")
def golden() -> list[Stored]:
    """Every released line of every fact, as a log."""
    lines = [(path.stem, line) for path in sorted(GOLDEN.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [Stored(seq, _subject(tag, line), MORNING, line.encode()) for seq, (tag, line) in enumerate(lines, 1)]


@pytest.fixture(scope="module")
def warehouse(golden: list[Stored]) -> Iterator[Warehouse]:
    with empty_warehouse() as filled:
        filled.load(golden)
        yield filled


@pytest.mark.parametrize("tag", sorted(FACT_TYPES))
def test_a_fact_has_the_same_fields_and_headline_in_sql_as_in_python(
    warehouse: Warehouse, golden: list[Stored], tag: str
):
    expected = [recorded for recorded in map(decode, golden) if tag_of(type(recorded.fact)) == tag]
    assert expected, f"{tag} has no golden line"
    rows = warehouse.ask(f"select * from {view_name(tag)} order by seq").dicts()
    for row, recorded in zip(rows, expected, strict=True):
        fields = {name: _as_sql(getattr(recorded.fact, name)) for name in recorded.fact.__struct_fields__}
        assert {name: row[column_name(name)] for name in fields} == fields
        assert row["headline"] == headline(recorded)
        assert row["actor"] == (recorded.event.actor or None)
        assert row["happened_at"] == _as_sql(recorded.happened_at)


def test_history_tells_every_event_in_the_same_words(warehouse: Warehouse, golden: list[Stored]):
    rows = warehouse.ask("select seq, headline from history order by seq").rows
    assert rows == [(stored.seq, headline(decode(stored))) for stored in golden]


def test_the_view_of_a_category_holds_every_fact_of_it_with_its_fields(warehouse: Warehouse, golden: list[Stored]):
    for category in {category_of(kind) for kind in FACT_TYPES.values()}:
        rows = {row["seq"]: row for row in warehouse.ask(f'select * from "{category}_facts"').dicts()}
        facts = [recorded for recorded in map(decode, golden) if recorded.stream.startswith(f"{category}.")]
        assert len(rows) == len(facts)
        for recorded in facts:
            fields = {name: _as_sql(getattr(recorded.fact, name)) for name in recorded.fact.__struct_fields__}
            row = rows[recorded.seq]
            assert {name: row[column_name(name)] for name in fields} == fields


def test_a_field_of_another_type_is_null_and_stops_nothing():
    body = (
        b'{"id": "x", "source": "s", "type": "page.failed", "time": "yesterday",'
        b' "data": {"channel": ["smtp"], "contact": "first", "attempt": 1, "error": null, "final": "maybe"}}'
    )
    with empty_warehouse() as warehouse:
        warehouse.apply([Stored(1, "evt.page.pg-1.failed", MORNING, body)])
        (row,) = warehouse.ask("select contact, attempt, error, final, happened_at = recorded_at from page_failed").rows
        assert row == (None, 1, None, False, True)


def test_no_two_views_share_a_name():
    names = [view.name for view in typed_views()]
    assert len(names) == len(set(names))


def _subject(tag: str, line: str) -> str:
    category, _, name = tag.partition(".")
    identifier = msgspec.json.decode(line)["subject"].partition(".")[2]
    return f"evt.{category}.{identifier}.{name}"


def _as_sql(value: Any) -> Any:
    """A value of a fact as a row gives it: times without their zone, structs as dicts, tuples as lists."""
    match value:
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None)
        case tuple():
            return [_as_sql(each) for each in value]
        case msgspec.Struct():
            return {name: _as_sql(getattr(value, name)) for name in value.__struct_fields__}
    return value
