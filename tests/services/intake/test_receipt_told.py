"""What intake tells of one payload."""

import asyncio
from datetime import UTC, datetime

import pytest

from events.receipt import MemoryReceipts, Receipt
from services.command import CommandRefused
from services.intake.commands import ShowReceipt
from services.intake.receipt_told import FIRST_LINE_CHARS_MAX, first_line, show_receipt

BODY = b'{\n  "version": "4",\n  "status": "firing"\n}'


def test_it_says_how_a_payload_came_and_how_it_begins():
    async def work() -> dict[str, str]:
        receipts = MemoryReceipts()
        seq = await receipts.put(
            Receipt(
                source="alertmanager",
                integration="key-am",
                received_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
                content_type="application/json",
                body=BODY,
            )
        )
        return (await show_receipt(receipts, ShowReceipt(receipt_seq=seq))).told

    told = asyncio.run(work())
    assert told["source"] == "alertmanager"
    assert told["size_bytes"] == str(len(BODY))
    assert told["first_line"] == '{ "version": "4", "status": "firing" }'


def test_what_is_not_there_is_refused():
    with pytest.raises(CommandRefused, match="INTAKE does not hold it"):
        asyncio.run(show_receipt(MemoryReceipts(), ShowReceipt(receipt_seq=7)))


def test_a_long_payload_is_cut_and_bytes_that_are_no_text_are_shown_all_the_same():
    assert len(first_line("é".encode() * 100_000)) == FIRST_LINE_CHARS_MAX
    assert first_line(b"\xff\xfe ok") == "�� ok"
