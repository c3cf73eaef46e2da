"""Facts of the completeness ledger: that everything received became a fact, a duplicate, a refusal or a dead letter.

Streams ``ledger.received`` (one counter) and ``ledger.repeated_<instance>`` (each translator). What became facts or
dead letters says so itself by ``receipt_seq`` and ``source_seq``; what changed nothing says nothing, so it is listed
here. Counting reads the payloads in INTAKE and not the translator's figures, so that the two sides check each other.
"""

from datetime import datetime
from typing import ClassVar

import msgspec

from events.fact import Fact


class SourceCount(msgspec.Struct, frozen=True, kw_only=True):
    """What one source sent in a stretch of INTAKE."""

    source: str
    """Adapter, or what a producer on NATS called itself."""
    integration: str
    received: int
    """Payloads."""
    received_bytes: int
    first_at: datetime
    last_at: datetime


class ReceiptRange(msgspec.Struct, frozen=True, kw_only=True):
    """An unbroken run of positions in INTAKE."""

    first_seq: int
    last_seq: int


class ReceiptsCounted(Fact, frozen=True, tag="ledger.counted"):
    """What lies in a stretch of INTAKE. Written once every receipt in it has been dealt with."""

    headline: ClassVar[str] = "receipts {first_seq} to {last_seq} counted"
    first_seq: int
    """Position in INTAKE where the stretch begins."""
    last_seq: int
    """Where it ends. Stretches follow one another without a gap."""
    sources: tuple[SourceCount, ...]
    """What each source sent."""
    missing: int = 0
    """Positions in the stretch that INTAKE does not hold (any more)."""


class ReceiptsRepeated(Fact, frozen=True, tag="ledger.repeated"):
    """These receipts were understood and changed nothing: repeats of what was known."""

    headline: ClassVar[str] = "{count} receipts of {receipt_source} changed nothing"
    receipt_source: str
    """Adapter, or what a producer on NATS called itself."""
    integration: str
    count: int
    """How many receipts."""
    ranges: tuple[ReceiptRange, ...]
    """Each unbroken run, in order."""


LedgerFact = ReceiptsCounted | ReceiptsRepeated
