"""The view ``receipt_runs``: which positions of INTAKE came from whom."""

from datetime import datetime

from tests.projections.receipts import History
from tests.spec import empty_warehouse


def test_every_position_that_was_counted_is_in_one_run():
    history = History(3, 150)
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        rows = warehouse.ask("select * from receipt_runs order by first_receipt_seq").dicts()
    received = {receipt.stored.seq: receipt for receipt in history.receipts}
    through = 0
    for row in rows:
        assert row["first_receipt_seq"] == through + 1
        through = row["last_receipt_seq"]
        for seq in range(row["first_receipt_seq"], through + 1):
            receipt = received.pop(seq, None)
            if receipt is None:
                assert (row["source"], row["integration"]) == (None, None)
            else:
                assert (row["source"], row["integration"]) == receipt.source
                assert row["hour"] == _hour(receipt.stored.recorded_at)
    assert not received


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0, tzinfo=None)
