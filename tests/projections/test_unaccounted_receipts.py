"""The view ``unaccounted_receipts``: where the ledger does not balance."""

from tests.projections.receipts import History
from tests.spec import empty_warehouse


def test_it_is_empty_as_long_as_nothing_is_lost():
    with empty_warehouse() as warehouse:
        warehouse.apply(History(4, 150).log)
        assert warehouse.ask("select * from unaccounted_receipts").dicts() == []


def test_it_names_source_hour_and_first_receipt_of_what_is_lost():
    history = History(5, 150, lost=True)
    (lost,) = history.lost
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        (row,) = warehouse.ask("select * from unaccounted_receipts").dicts()
    assert (row["source"], row["integration"]) == lost.source
    assert row["hour"] == lost.stored.recorded_at.replace(minute=0, second=0, tzinfo=None)
    assert row["first_receipt_seq"] == lost.stored.seq
    assert row["received"] == row["accounted"] + 1
