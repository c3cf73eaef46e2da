"""That integration keys are used: one fact when a key is used first, and one a day in which it is used again.

Written by whoever translates, not with each request: a key that is in use costs the log a line a day.
"""

from collections.abc import Iterable
from datetime import date

from events import Event, EventLog, Write
from events.audit import KeyCreated, KeyUsed
from events.errors import Conflict
from events.ids import derived_event_id
from events.receipt import NATS_INTEGRATION, Receipt
from services.intake.translator import SOURCE

# A conflict is another copy that says the same, or somebody who changes the key just now.
ATTEMPTS_MAX = 3


class KeyUses:
    """Tells of the first use of each key in each day (UTC).

    Args:
        log: where keys live.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._told: dict[str, date] = {}

    async def told_by(self, receipts: Iterable[Receipt]) -> None:
        """Receipts came with their keys.

        Raises:
            LogError: the log does not answer or is full; nothing is lost by trying with later receipts.
        """
        for receipt in receipts:
            day = receipt.received_at.date()
            key_id = receipt.integration
            if key_id == NATS_INTEGRATION or self._told.get(key_id, date.min) >= day:
                continue
            await self._tell(key_id, receipt, day)
            self._told[key_id] = day

    async def _tell(self, key_id: str, receipt: Receipt, day: date) -> None:
        stream = f"key.{key_id}"
        event = Event(
            id=derived_event_id(stream, "used", day.isoformat()),
            fact=KeyUsed(receipt_seq=receipt.seq),
            happened_at=receipt.received_at,
            source=SOURCE,
            actor=f"key:{key_id}",
            causation_id=f"intake-{receipt.seq}",
        )
        for _attempt in range(ATTEMPTS_MAX):
            history = await self._log.read(stream)
            uses = [one.happened_at.date() for one in history if isinstance(one.fact, KeyUsed)]
            if not history or not isinstance(history[0].fact, KeyCreated) or max(uses, default=date.min) >= day:
                return
            try:
                await self._log.append(Write(stream, history[-1].seq, (event,)))
            except Conflict:
                continue
            return
