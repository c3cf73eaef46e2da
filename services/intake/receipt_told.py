"""What intake tells of one payload as it was received: how it came, how large it is, and how it begins."""

import hashlib

from events.receipt import Receipt, Receipts
from services.command import CommandRefused, Done
from services.intake.commands import ShowReceipt

# Enough to recognize a payload by; all of it may be tens of kilobytes of JSON.
FIRST_LINE_CHARS_MAX = 300


async def show_receipt(receipts: Receipts, command: ShowReceipt) -> Done:
    """Tell of a receipt.

    Raises:
        CommandRefused: it was never there, or is no longer kept.
        LogUnavailable: no answer.
    """
    receipt = await receipts.get(command.receipt_seq) if command.receipt_seq > 0 else None
    if receipt is None:
        raise CommandRefused(
            f"Cannot show receipt {command.receipt_seq}",
            because="INTAKE does not hold it: it was never there, or has grown older than receipts are kept",
            instead="what it led to stays in the log",
            code="not_found",
        )
    return Done(target=str(receipt.seq), seq=0, message=f"It came from {receipt.source}.", told=told_of(receipt))


def told_of(receipt: Receipt) -> dict[str, str]:
    """A receipt in words. Credentials never enter one, so there are none to leave out."""
    return {
        "source": receipt.source,
        "integration": receipt.integration,
        "received_at": receipt.received_at.isoformat(),
        "content_type": receipt.content_type,
        "size_bytes": str(len(receipt.body)),
        "sha256": hashlib.sha256(receipt.body).hexdigest(),
        "first_line": first_line(receipt.body),
    }


def first_line(body: bytes) -> str:
    """The first line of a payload that says anything, shortened; bytes that are no text are replaced."""
    # Four bytes a character is the most that UTF-8 takes.
    text = body.lstrip()[: FIRST_LINE_CHARS_MAX * 4].decode("utf-8", errors="replace")
    # JSON that is set over several lines opens with a brace alone: the lines are joined, so that it says something.
    line = " ".join(text.split())
    return line if len(line) <= FIRST_LINE_CHARS_MAX else f"{line[: FIRST_LINE_CHARS_MAX - 1]}…"
