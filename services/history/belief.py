"""What the log holds of a foreign incident by now: what was told of it, with later corrections. Pure.

Only what was imported counts. What people added or corrected in Recount is theirs: an import neither sees it nor undoes
it.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from events import Event, Fact
from events.incident import IncidentDeclared, IncidentMerged, IncidentOpened, IncidentUnmerged, TitleChanged
from services.corrections import corrections_of

Placed = tuple[int, Event]
"""An event and its log position; 0 when it has none yet."""


def source_of(system: str) -> str:
    """The ``source`` of everything that is taken over from a system."""
    return f"import/{system}"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that was told and holds, as later corrections make it."""

    event_id: str
    seq: int
    fact: Fact
    actor: str
    at: datetime
    earliest: datetime | None = None
    latest: datetime | None = None


class Belief(msgspec.Struct, frozen=True):
    """Everything that was told of one incident and still holds, in the order in which it was told."""

    told: tuple[Told, ...] = ()

    def of(self, *kinds: type[Fact]) -> list[Told]:
        """What holds of some types."""
        return [told for told in self.told if isinstance(told.fact, kinds)]

    @property
    def title(self) -> str:
        """What it is called; empty when nothing was told of it."""
        named = self.of(IncidentOpened, IncidentDeclared, TitleChanged)
        return named[-1].fact.title if named else ""  # type: ignore[attr-defined]

    @property
    def merged_into(self) -> str:
        """The incident of ours that it was merged into; empty when it stands for itself."""
        merges = self.of(IncidentMerged, IncidentUnmerged)
        return merges[-1].fact.into_incident_id if merges and isinstance(merges[-1].fact, IncidentMerged) else ""


def believe(history: Iterable[Placed], system: str) -> Belief:
    """What a system's events in an incident's stream say by now."""
    imported = [(seq, event) for seq, event in history if event.source == source_of(system)]
    corrections = corrections_of(event for _seq, event in imported)
    believed = ((seq, corrections.believed(event)) for seq, event in imported)
    return Belief(tuple(_told(seq, event) for seq, event in believed if event is not None))


def _told(seq: int, event: Event) -> Told:
    return Told(
        event_id=event.id,
        seq=seq,
        fact=event.fact,
        actor=event.actor,
        at=event.happened_at,
        earliest=event.happened_earliest,
        latest=event.happened_latest,
    )
