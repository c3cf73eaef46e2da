"""Receipts: payloads as they were received, before they are understood.

A receipt is the evidence behind every alert fact, and what a repaired adapter reads again. Credentials never enter it.
"""

from datetime import datetime
from typing import Protocol

import msgspec

NATS_INTEGRATION = "nats"
"""Integration of a message that a producer published on NATS itself, without an integration key."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One payload, with the circumstances in which it came."""

    seq: int = 0
    """Position in INTAKE; 0 before it is stored."""
    source: str
    """The last part of its subject: the adapter's name, or what a NATS producer called itself."""
    integration: str
    """Id of the integration key it came through, or `NATS_INTEGRATION`."""
    received_at: datetime
    content_type: str = ""
    headers: dict[str, str] = {}
    """Headers that belong to the payload, in lower case: ``ce-*`` of CloudEvents, ``recount-dedup-key``."""
    body: bytes

    @property
    def subject(self) -> str:
        """Where it lies in INTAKE. Only what came through a checked integration key has the third part."""
        own = f"intake.{self.source}"
        return own if self.integration == NATS_INTEGRATION else f"{own}.{self.integration}"


class Receipts(Protocol):
    """Keeps receipts. `events.nats_intake` does on JetStream."""

    async def put(self, receipt: Receipt) -> int:
        """Store a receipt; it is on disk when this returns.

        Returns:
            Its position in INTAKE.

        Raises:
            IntakeBusy: too many wait already; come back later.
            LogUnavailable: no answer; whether it was stored is unknown.
            LogFull: INTAKE refuses new messages.
        """
        ...

    async def get(self, seq: int) -> Receipt | None:
        """The receipt at a position; None when it was never there or has grown too old.

        Raises:
            LogUnavailable: no answer.
        """
        ...

    async def find(self, source: str, integration: str, *, since: datetime, header: str, value: str) -> Receipt | None:
        """The receipt that came about then and has a header with a value; None when there is none.

        Raises:
            LogUnavailable: no answer.
        """
        ...

    async def handled_through(self) -> int:
        """The position up to which every receipt has been translated.

        Raises:
            LogUnavailable: no answer.
        """
        ...


class MemoryReceipts:
    """`Receipts` for tests and the simulation: forgets everything when the process ends."""

    def __init__(self) -> None:
        self._stored: list[Receipt] = []

    async def put(self, receipt: Receipt) -> int:
        """See `Receipts.put`."""
        self._stored.append(msgspec.structs.replace(receipt, seq=len(self._stored) + 1))
        return len(self._stored)

    async def get(self, seq: int) -> Receipt | None:
        """See `Receipts.get`."""
        return self._stored[seq - 1] if 1 <= seq <= len(self._stored) else None

    async def find(self, source: str, integration: str, *, since: datetime, header: str, value: str) -> Receipt | None:
        """See `Receipts.find`."""
        for receipt in self._stored:
            is_meant = receipt.source == source and receipt.integration == integration
            if is_meant and receipt.received_at >= since and receipt.headers.get(header) == value:
                return receipt
        return None

    async def handled_through(self) -> int:
        """See `Receipts.handled_through`: nothing waits here."""
        return len(self._stored)
