"""Facts of the completeness ledger: that everything received became a fact, a duplicate, a refusal or a dead letter.

Stream ``ledger.received`` (one counter) and stream ``ledger.repeated`` (every translator). What became facts or dead
letters says so itself by ``receipt_seq`` and ``source_seq``; what changed nothing says nothing, so it is listed here.
Counting reads what lies in INTAKE and not the translator's figures, so that the two sides check each other.

Which of many positions are meant is told in runs, as two lists of the same length, because a storm of senders who take
turns has as many runs as receipts.
"""

from datetime import datetime
from typing import ClassVar

import msgspec

from events.fact import Fact

MISSING = -1
"""In place of a source: positions that INTAKE does not hold (any more)."""


class SourceCount(msgspec.Struct, frozen=True, kw_only=True):
    """What one source sent in a stretch of INTAKE."""

    source: str
    """Adapter, or what a producer on NATS called itself."""
    integration: str
    received: int
    """Payloads."""
    received_bytes: int
    first_at: datetime
    """When INTAKE stored the first of them."""
    last_at: datetime


class ReceiptsCounted(Fact, frozen=True, tag="ledger.counted"):
    """What lies in a stretch of INTAKE. Written once every receipt in it has been dealt with."""

    headline: ClassVar[str] = "receipts {first_seq} to {last_seq} counted"
    first_seq: int
    """Position in INTAKE where the stretch begins."""
    last_seq: int
    """Where it ends. Stretches follow one another without a gap, and none reaches into another hour (UTC)."""
    sources: tuple[SourceCount, ...]
    """What each source sent."""
    run_sources: tuple[int, ...] = ()
    """Which source each run of positions came from: its place in ``sources``, from 0, or `MISSING`."""
    run_lengths: tuple[int, ...] = ()
    """How many positions each run has. The first begins at ``first_seq``; together they reach ``last_seq``."""
    missing: int = 0
    """Positions in the stretch that INTAKE does not hold (any more)."""
    is_before: bool = False
    """What was received before the ledger began: not counted, and nothing is said of it."""


class ReceiptsRepeated(Fact, frozen=True, tag="ledger.repeated"):
    """These receipts were understood and changed nothing: repeats of what was known, and pings."""

    headline: ClassVar[str] = "{count} receipts changed nothing"
    first_seq: int
    """Position in INTAKE from which the first gap is counted."""
    last_seq: int
    """The last of them."""
    count: int
    """How many receipts."""
    run_gaps: tuple[int, ...]
    """How many other positions lie before each unbroken run."""
    run_lengths: tuple[int, ...]
    """How many positions each run has."""


LedgerFact = ReceiptsCounted | ReceiptsRepeated
