"""Counting what lies in INTAKE: by source, hour and run of positions. Pure."""

from datetime import datetime

import msgspec

from events.ledger import MISSING, ReceiptsCounted, SourceCount
from events.receipt import NATS_INTEGRATION
from events.recorded import Stored

# Runs of one stretch; in the worst case, senders who take turns, 10 bytes each: 40 KB of a fact that may have 60.
RUNS_MAX = 4_000
# Sources of one stretch, about 200 bytes each.
SOURCES_MAX = 64


class _Tally(msgspec.Struct):
    received: int
    received_bytes: int
    first_at: datetime
    last_at: datetime


class Counting:
    """Receipts in the order of their positions, cut into stretches of one hour each.

    Args:
        first: the position at which counting begins.
    """

    def __init__(self, first: int) -> None:
        self._next = first
        self._finished: list[ReceiptsCounted] = []
        self._begin(first)

    def _begin(self, first: int) -> None:
        self._first = first
        self._hour: datetime | None = None
        self._numbers: dict[tuple[str, str], int] = {}
        self._tallies: list[_Tally] = []
        self._run_sources: list[int] = []
        self._run_lengths: list[int] = []
        self._missing = 0

    def add(self, stored: Stored) -> None:
        """Count one message of INTAKE."""
        seq, subject, stored_at = stored.seq, stored.subject, stored.recorded_at
        if seq < self._next:
            return
        hour = stored_at.replace(minute=0, second=0, microsecond=0)
        source = _source(subject)
        if self._tallies and (
            hour != self._hour
            or len(self._run_lengths) >= RUNS_MAX
            or (len(self._numbers) >= SOURCES_MAX and source not in self._numbers)
        ):
            self._cut()
        self._hour = hour
        if seq > self._next:
            self._run(MISSING, seq - self._next)
            self._missing += seq - self._next
        number = self._numbers.setdefault(source, len(self._tallies))
        if number == len(self._tallies):
            self._tallies.append(_Tally(0, 0, stored_at, stored_at))
        tally = self._tallies[number]
        tally.received += 1
        tally.received_bytes += len(stored.body)
        tally.last_at = max(tally.last_at, stored_at)
        self._run(number, 1)
        self._next = seq + 1

    def finish(self, through: int) -> list[ReceiptsCounted]:
        """The stretches, up to a position; behind the last message everything is missing."""
        if through >= self._next:
            self._run(MISSING, through + 1 - self._next)
            self._missing += through + 1 - self._next
            self._next = through + 1
        if self._next > self._first:
            self._cut()
        return self._finished

    def _run(self, number: int, length: int) -> None:
        if self._run_sources and self._run_sources[-1] == number:
            self._run_lengths[-1] += length
        else:
            self._run_sources.append(number)
            self._run_lengths.append(length)

    def _cut(self) -> None:
        self._finished.append(
            ReceiptsCounted(
                first_seq=self._first,
                last_seq=self._next - 1,
                sources=tuple(
                    SourceCount(
                        source=source,
                        integration=integration,
                        received=tally.received,
                        received_bytes=tally.received_bytes,
                        first_at=tally.first_at,
                        last_at=tally.last_at,
                    )
                    for (source, integration), tally in zip(self._numbers, self._tallies, strict=True)
                ),
                run_sources=tuple(self._run_sources),
                run_lengths=tuple(self._run_lengths),
                missing=self._missing,
            )
        )
        self._begin(self._next)


def _source(subject: str) -> tuple[str, str]:
    parts = subject.split(".")
    return parts[1], parts[2] if len(parts) > 2 else NATS_INTEGRATION
