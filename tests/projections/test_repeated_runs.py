"""The view ``repeated_runs``: which receipts changed nothing."""

from services.intake.repeats import repeated
from tests.spec import given, stream


def test_each_unbroken_run_is_a_row():
    given(stream("ledger.repeated", repeated([7, 3, 4, 5, 9, 10]), repeated([5]))).view("repeated_runs").shows(
        {"seq": 1, "first_receipt_seq": 3, "last_receipt_seq": 5},
        {"seq": 1, "first_receipt_seq": 7, "last_receipt_seq": 7},
        {"seq": 1, "first_receipt_seq": 9, "last_receipt_seq": 10},
        {"seq": 2, "first_receipt_seq": 5, "last_receipt_seq": 5},
    )
