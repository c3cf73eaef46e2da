"""Consecutive events of the log, packed by columns.

Whoever copies a long log must not make objects of each event: that takes longer than everything else about it. So a
bulk read hands on what it read as columns, which DuckDB can read as they lie. For everybody else a stretch is a
sequence of `Stored`, each made when it is taken out.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import overload

import msgspec

from events.recorded import Stored, from_epoch_ns

POSITIONS = "q"
"""The type code of whole numbers of 64 bits."""


class Packed(msgspec.Struct, frozen=True):
    """Byte strings one after the other, as Arrow lays out a column of them (large binary)."""

    content: bytes
    bounds: "array[int]"
    """Where each begins, and where the last one ends."""

    @classmethod
    def of(cls, parts: Sequence[bytes]) -> "Packed":
        """Some byte strings, packed."""
        return cls(b"".join(parts), array(POSITIONS, accumulate(map(len, parts), initial=0)))

    def __getitem__(self, number: int) -> bytes:
        return self.content[self.bounds[number] : self.bounds[number + 1]]

    def part(self, start: int, stop: int) -> "Packed":
        """Those from one number up to another one."""
        begin = self.bounds[start]
        content = self.content[begin : self.bounds[stop]]
        return Packed(content, array(POSITIONS, [bound - begin for bound in self.bounds[start : stop + 1]]))


class Stretch(Sequence[Stored]):
    """Events that follow one another in the log.

    Args:
        seqs: their positions.
        subjects: their subjects, in UTF-8.
        recorded_us: when each was recorded, in microseconds since 1970.
        bodies: their bytes.
    """

    __slots__ = ("bodies", "recorded_us", "seqs", "subjects")

    def __init__(self, seqs: "array[int]", subjects: Packed, recorded_us: "array[int]", bodies: Packed) -> None:
        self.seqs = seqs
        self.subjects = subjects
        self.recorded_us = recorded_us
        self.bodies = bodies

    @classmethod
    def of(cls, batch: Sequence[Stored]) -> "Stretch":
        """Some events as a stretch; one that is a stretch already, as it is."""
        if isinstance(batch, Stretch):
            return batch
        return cls(
            array(POSITIONS, [stored.seq for stored in batch]),
            Packed.of([stored.subject.encode() for stored in batch]),
            array(POSITIONS, _microseconds(stored.recorded_at for stored in batch)),
            Packed.of([stored.body for stored in batch]),
        )

    def after(self, position: int) -> "Stretch":
        """Those after a position."""
        return self[bisect_right(self.seqs, position) :]

    def through(self, position: int) -> "Stretch":
        """Those up to a position."""
        return self[: bisect_right(self.seqs, position)]

    def __len__(self) -> int:
        return len(self.seqs)

    @overload
    def __getitem__(self, index: int) -> Stored: ...

    @overload
    def __getitem__(self, index: slice) -> "Stretch": ...

    def __getitem__(self, index: int | slice) -> "Stored | Stretch":
        if isinstance(index, slice):
            return self._part(*index.indices(len(self)))
        number = range(len(self))[index]
        return Stored(
            self.seqs[number],
            self.subjects[number].decode(),
            from_epoch_ns(self.recorded_us[number] * 1_000),
            self.bodies[number],
        )

    def _part(self, start: int, stop: int, step: int) -> "Stretch":
        if step != 1:
            raise ValueError("a stretch has no gaps: take a slice of it without a step")
        if (start, stop) == (0, len(self)):
            return self
        stop = max(start, stop)
        return Stretch(
            self.seqs[start:stop],
            self.subjects.part(start, stop),
            self.recorded_us[start:stop],
            self.bodies.part(start, stop),
        )


def _microseconds(moments: Iterable[datetime]) -> list[int]:
    since = [moment - _EPOCH for moment in moments]
    return [(each.days * 86_400 + each.seconds) * 1_000_000 + each.microseconds for each in since]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
