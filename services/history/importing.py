"""Takes snapshots over in batches: as many as fit into one atomic append, in order, each whole or not at all."""

from collections.abc import Sequence

import msgspec

from events import Event, EventLog, Write
from events.errors import InvalidEvent
from events.ids import incident_id
from events.log import EVENTS_PER_APPEND_MAX
from events.recorded import EVENT_BYTES_MAX, encode
from services.command import Order
from services.decision import decide_and_append
from services.history.archive import Foreign, Loaded, guard_of, load, named
from services.history.checking import BadSnapshot
from services.history.commands import Outcome, Record, Snapshot
from services.history.taking import TakenOver, headlines, take
from services.incident_number import next_number

# Read side by side before a batch is decided; most incidents take some ten facts.
SNAPSHOTS_PER_BATCH_MAX = 100
# What JSON makes of a character at worst.
ESCAPED_BYTES_MAX = 6


class Importer:
    """Takes over what an order holds.

    Args:
        log: the facts.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def record(self, order: Order, command: Record) -> tuple[int, list[Outcome]]:
        """Append what each snapshot leads to.

        Returns:
            The position of the last fact written, 0 when there was nothing to say; and what became of each.
        """
        if command.dry_run:
            return 0, await self._rehearse(order, command)
        seq, outcomes = 0, list[Outcome]()
        while (rest := command.snapshots[len(outcomes) :]) and not _stops(command, outcomes):
            last, done = await decide_and_append(self._log, lambda rest=rest: self._batch(order, command, rest))  # type: ignore[misc]
            seq = last or seq
            outcomes += done
        return seq, outcomes

    async def _batch(
        self, order: Order, command: Record, snapshots: Sequence[Snapshot]
    ) -> tuple[tuple[Write, ...], list[Outcome]]:
        """The writes of the first snapshots, as many as fit into one append, and what becomes of each."""
        window = snapshots[:SNAPSHOTS_PER_BATCH_MAX]
        loaded = await load(self._log, window)
        batch = _Batch()
        for snapshot in window:
            if batch.touches(snapshot):
                break
            outcome, taken = await self._take(order, command, snapshot, loaded, batch)
            if taken is not None and not batch.has_room_for(taken):
                break
            batch.add(outcome, taken)
            if _stops(command, batch.outcomes):
                break
        return tuple(batch.writes), batch.outcomes

    async def _rehearse(self, order: Order, command: Record) -> list[Outcome]:
        """What would become of each, one after the other."""
        loaded = await load(self._log, command.snapshots)
        batch = _Batch()
        for snapshot in command.snapshots:
            outcome, taken = await self._take(order, command, snapshot, loaded, batch)
            if taken is not None:
                loaded[snapshot.system, snapshot.id] = taken.after
                outcome = msgspec.structs.replace(outcome, headlines=headlines(taken))
            batch.add(outcome, taken)
            if _stops(command, batch.outcomes):
                break
        return batch.outcomes

    async def _take(
        self,
        order: Order,
        command: Record,
        snapshot: Snapshot,
        loaded: dict[Foreign, Loaded],
        batch: "_Batch",
    ) -> tuple[Outcome, TakenOver | None]:
        new_id = ""
        if not loaded[snapshot.system, snapshot.id].incident_id:
            batch.next_number = batch.next_number or await next_number(self._log)
            new_id = incident_id(batch.next_number)
        try:
            taken = take(snapshot, loaded, command.people, new_id, order.actor, order.auth_id)
            _require_appendable(taken)
        except BadSnapshot as bad:
            return Outcome(path=bad.path, problem=str(bad), hint=bad.hint), None
        return Outcome(incident_id=taken.incident_id, facts=len(taken.events)), taken


class _Batch:
    def __init__(self) -> None:
        self.next_number = 0
        """The next free one, once it is needed."""
        self.writes: list[Write] = []
        self.outcomes: list[Outcome] = []
        self._streams: set[str] = set()
        self._events = 0

    def touches(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot rests on what this batch is about to write: its position is not known yet."""
        return any(guard_of(*key) in self._streams for key in named([snapshot]))

    def has_room_for(self, taken: TakenOver) -> bool:
        """Whether its writes fit beside the others."""
        fits = self._events + _count(taken) <= EVENTS_PER_APPEND_MAX
        return fits and self._streams.isdisjoint(write.stream for write in taken.writes)

    def add(self, outcome: Outcome, taken: TakenOver | None) -> None:
        """Take one more."""
        self.outcomes.append(outcome)
        if taken is None or not taken.writes:
            return
        self.writes += taken.writes
        self._streams.update(write.stream for write in taken.writes)
        self._events += _count(taken)
        if taken.is_new:
            self.next_number += 1


def _stops(command: Record, outcomes: Sequence[Outcome]) -> bool:
    """Whether what comes next is left because the last one was refused."""
    return bool(outcomes and outcomes[-1].problem) and not command.skip_refused


def _count(taken: TakenOver) -> int:
    return sum(len(write.events) for write in taken.writes)


def _require_appendable(taken: TakenOver) -> None:
    if _count(taken) > EVENTS_PER_APPEND_MAX:
        raise BadSnapshot(
            "$",
            f"it leads to {_count(taken):,} facts; one append takes {EVENTS_PER_APPEND_MAX:,}",
            hint="Give an earlier state of it first, with fewer updates.",
        )
    for write in taken.writes:
        for event in filter(_may_be_too_large, write.events):
            try:
                encode(write.stream, event)
            except InvalidEvent as error:
                raise BadSnapshot("$", str(error), hint=error.hint) from error


def _may_be_too_large(event: Event) -> bool:
    """Whether it is worth encoding an event to learn its size: most are far below the limit."""
    texts = (getattr(event.fact, name) for name in event.fact.__struct_fields__)
    return sum(len(text) for text in texts if isinstance(text, str)) * ESCAPED_BYTES_MAX > EVENT_BYTES_MAX // 2
