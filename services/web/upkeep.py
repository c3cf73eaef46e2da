"""What the web needs of the projector to look after the warehouse: rebuilds that go on without their askers."""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class StepTold(Protocol):
    """How far a rebuild is."""

    @property
    def doing(self) -> str:
        """``log`` while events are copied, ``projections`` while they are computed."""
        ...

    @property
    def done(self) -> int:
        """How many are done."""
        ...

    @property
    def total(self) -> int:
        """Of how many."""
        ...

    @property
    def rate(self) -> int:
        """How many a second."""
        ...


class Rebuilding(Protocol):
    """A rebuild that runs."""

    def steps(self) -> AsyncIterator[StepTold]:
        """Every step from now on, until it ends."""
        ...

    async def result(self) -> int:
        """The position that the new warehouse has; raises what made it fail."""
        ...


class SnapshotKeeping(Protocol):
    """Keeps the snapshot file fresh."""

    async def status(self) -> msgspec.Struct:
        """What there is."""
        ...

    async def refresh(self) -> msgspec.Struct:
        """Write it now."""
        ...


class Upkeep(Protocol):
    """Looks after the warehouse."""

    upgrade: str
    """What is being computed by new definitions while the former ones answer; empty when nothing is."""

    @property
    def snapshots(self) -> SnapshotKeeping:
        """The file for other tools."""
        ...

    def begin_rebuild(self, *, projections_only: bool = False) -> Rebuilding:
        """Begin to compute everything again, or join the rebuild that runs already."""
        ...

    async def stop_rebuild(self) -> bool:
        """Stop the rebuild that runs; False when none does."""
        ...
