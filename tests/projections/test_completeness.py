"""The view ``completeness``: everything received, in one row, at every position."""

import pytest

from tests.projections.receipts import History
from tests.spec import empty_warehouse, given


@pytest.mark.parametrize("seed", [11, 12])
def test_it_balances_at_every_position(seed: int):
    history = History(seed, 100)
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        for position in range(1, len(history.log) + 1, 3):
            (row,) = warehouse.ask("select * from completeness", as_of=position).dicts()
            assert row["position"] == position
            assert row["received"] == row["facts"] + row["duplicates"] + row["refused"] + row["dead"]
            assert row["unaccounted"] == 0
            assert row["received"] == sum(counts["received"] for counts in history.balances[position - 1].values())


def test_of_an_empty_log_nothing_was_received():
    given().view("completeness").shows({"position": 0, "received": 0, "unaccounted": 0, "counted_through": 0})
