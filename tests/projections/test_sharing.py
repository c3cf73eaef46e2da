"""A view can have one of the views beneath it computed once, whoever reads it."""

import duckdb
import pytest

from projections.sharing import Definition, share


def definition(sql: str, *uses: str) -> Definition:
    """A view and what it reads."""
    return Definition(sql, frozenset(uses))


VIEWS = {
    "numbers": definition("select unnest([1, 2, 3]) as number"),
    "aside": definition("select 5 as number"),
    "doubled": definition("select number * 2 as number from numbers", "numbers"),
    "squared": definition("select number * number as number from numbers", "numbers"),
}
BOTH = definition("select number from doubled union all select number from squared", "doubled", "squared")


def test_it_gives_the_same_rows_from_one_computation():
    sql = share(BOTH, "numbers", VIEWS)
    assert sorted(duckdb.sql(sql).fetchall()) == [(1,), (2,), (4,), (4,), (6,), (9,)]
    assert sql.count("unnest") == 1
    assert "numbers as materialized" in sql


def test_what_does_not_lie_between_the_two_is_left_alone():
    assert "aside" not in share(BOTH, "numbers", VIEWS)


def test_a_view_that_does_not_read_the_other_cannot_share_it():
    with pytest.raises(ValueError, match="it does not read aside"):
        share(BOTH, "aside", VIEWS)
