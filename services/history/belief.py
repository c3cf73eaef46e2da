"""What the log holds of a foreign incident by now: what was told of it, with later corrections. Pure.

Only what was imported counts. What people added or corrected in Recount is theirs: an import neither sees it nor undoes
it.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from events import Event, Fact
from events.incident import (
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    IncidentDeclared,
    IncidentMerged,
    IncidentOpened,
    IncidentSeverityChanged,
    IncidentUnmerged,
    MilestoneCorrected,
    SeverityCorrected,
    TitleChanged,
)


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

    told: dict[str, Told] = {}
    """By event id. Never changed in place."""

    def of(self, *kinds: type[Fact]) -> list[Told]:
        """What holds of some types."""
        return [told for told in self.told.values() if isinstance(told.fact, kinds)]

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


def believe(belief: Belief, events: Iterable[tuple[int, Event]], system: str) -> Belief:
    """The belief after further events of the incident's stream, each with its log position."""
    told = dict(belief.told)
    for seq, event in events:
        if event.source == source_of(system):
            _hear(told, seq, event)
    return Belief(told)


def _hear(told: dict[str, Told], seq: int, event: Event) -> None:
    match event.fact:
        case EventRetracted(event_id=event_id):
            told.pop(event_id, None)
        case MilestoneCorrected(replaces_event_id=event_id) as corrected if event_id in told:
            told[event_id] = replace(
                told[event_id],
                at=corrected.occurred_at,
                earliest=corrected.occurred_earliest,
                latest=corrected.occurred_latest,
            )
        case SeverityCorrected(replaces_event_id=event_id, severity=severity) if event_id in told:
            earlier = told[event_id].fact
            assert isinstance(earlier, IncidentOpened | IncidentDeclared | IncidentSeverityChanged)
            told[event_id] = replace(told[event_id], fact=replace(earlier, severity=severity))
        case DeterminationCorrected(replaces_event_id=event_id, determination=determination) if event_id in told:
            set_to = DeterminationSet(determination=determination)
            told[event_id] = replace(told[event_id], fact=set_to)
        case fact:
            told[event.id] = Told(
                event_id=event.id,
                seq=seq,
                fact=fact,
                actor=event.actor,
                at=event.happened_at,
                earliest=event.happened_earliest,
                latest=event.happened_latest,
            )
