"""What the log holds of foreign incidents, loaded when it is needed: their guards, and what was told of them."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import msgspec

from events import NOTHING, EventLog
from events.ids import key_of
from events.imported import ImportAssigned, ImportTaken
from services.history.belief import Belief, Placed, believe


class Taken(msgspec.Struct, frozen=True):
    """A state that was taken over."""

    known_at: datetime
    content_sha256: str


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign incident, as far as it was taken over."""

    guard: str
    """The stream that says which incident it is."""
    guard_version: int = NOTHING
    incident_id: str = ""
    """Empty: it was never seen."""
    version: int = NOTHING
    """Of the incident's stream."""
    taken: tuple[Taken, ...] = ()
    history: tuple[Placed, ...] = ()
    belief: Belief = Belief()
    """What the history says."""
    root_version: int = NOTHING
    """Of the incident that it is merged into."""

    @property
    def stream(self) -> str:
        """The incident's stream."""
        return f"incident.{self.incident_id}"

    @property
    def last_known_at(self) -> datetime | None:
        """When the newest state was known; None when there is none."""
        return self.taken[-1].known_at if self.taken else None

    def state_at(self, moment: datetime) -> Taken | None:
        """The state that held at a moment."""
        return next((state for state in reversed(self.taken) if state.known_at <= moment), None)


Foreign = tuple[str, str]
"""A system and what it calls an incident."""


def guard_of(system: str, external_id: str) -> str:
    """The stream that says which incident a foreign one is."""
    return f"import.{key_of('import', system, external_id)}"


async def load(log: EventLog, wanted: Iterable[Foreign]) -> dict[Foreign, Loaded]:
    """What the log holds of some foreign incidents, read side by side."""
    keys = list(dict.fromkeys(wanted))
    found = await asyncio.gather(*(_load(log, *key) for key in keys))
    return dict(zip(keys, found, strict=True))


async def _load(log: EventLog, system: str, external_id: str) -> Loaded:
    guard = guard_of(system, external_id)
    incident_id, version, taken = "", NOTHING, []
    for past in await log.read(guard):
        version = past.seq
        match past.fact:
            case ImportAssigned(incident_id=assigned):
                incident_id = assigned
            case ImportTaken(content_sha256=content) if past.event.known_at is not None:
                taken.append(Taken(past.event.known_at, content))
    if not incident_id:
        return Loaded(guard=guard, guard_version=version)
    history = tuple((past.seq, past.event) for past in await log.read(f"incident.{incident_id}"))
    belief = believe(history, system)
    root = await log.read(f"incident.{belief.merged_into}") if belief.merged_into else []
    return Loaded(
        guard=guard,
        guard_version=version,
        incident_id=incident_id,
        version=history[-1][0] if history else NOTHING,
        taken=tuple(taken),
        history=history,
        belief=belief,
        root_version=root[-1].seq if root else NOTHING,
    )
