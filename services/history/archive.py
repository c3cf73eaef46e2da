"""What the log holds of foreign incidents, loaded when it is needed: their guards, and what was told of them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from events import NOTHING, EventLog
from events.ids import key_of
from events.imported import ImportAssigned, ImportTaken
from services.history.belief import Belief, Placed, believe
from services.history.commands import Snapshot


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

    def knows(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot says nothing new: what was taken over for its time says the same."""
        state = next((state for state in reversed(self.taken) if state.known_at <= snapshot.known_at), None)
        return state is not None and state.content_sha256 == content_sha256(snapshot)


Foreign = tuple[str, str]
"""A system and what it calls an incident."""


def named(snapshots: Iterable[Snapshot]) -> list[Foreign]:
    """The foreign incidents that snapshots are about or name."""
    return [
        (snapshot.system, name)
        for snapshot in snapshots
        for name in (snapshot.id, snapshot.merged_into)
        if isinstance(name, str)
    ]


def guard_of(system: str, external_id: str) -> str:
    """The stream that says which incident a foreign one is."""
    return f"import.{key_of('import', system, external_id)}"


def content_sha256(snapshot: Snapshot) -> str:
    """The digest of what a snapshot says, whenever it was known."""
    content = msgspec.to_builtins(snapshot)
    del content["known_at"]
    return hashlib.sha256(_ENCODER.encode(content)).hexdigest()


async def load(log: EventLog, snapshots: Sequence[Snapshot]) -> dict[Foreign, Loaded]:
    """What the log holds of the incidents that snapshots are about or name, read side by side. When they say nothing new
    of one, no more is read of it than that."""
    loaded = await _each(named(snapshots), lambda key: _guard(log, *key))
    new = named(one for one in snapshots if not loaded[one.system, one.id].knows(one))
    known = [key for key in new if loaded[key].incident_id]
    return loaded | await _each(known, lambda key: _with_history(log, key[0], loaded[key]))


async def _each(keys: Iterable[Foreign], read: Callable[[Foreign], Awaitable[Loaded]]) -> dict[Foreign, Loaded]:
    unique = list(dict.fromkeys(keys))
    return dict(zip(unique, await asyncio.gather(*map(read, unique)), strict=True))


async def _guard(log: EventLog, system: str, external_id: str) -> Loaded:
    guard = guard_of(system, external_id)
    incident_id, version, taken = "", NOTHING, list[Taken]()
    for past in await log.read(guard):
        version = past.seq
        match past.fact:
            case ImportAssigned(incident_id=assigned):
                incident_id = assigned
            case ImportTaken(content_sha256=content) if past.event.known_at is not None:
                taken.append(Taken(past.event.known_at, content))
    return Loaded(guard=guard, guard_version=version, incident_id=incident_id, taken=tuple(taken))


async def _with_history(log: EventLog, system: str, guard: Loaded) -> Loaded:
    history = tuple((past.seq, past.event) for past in await log.read(guard.stream))
    belief = believe(history, system)
    root = await log.read(f"incident.{belief.merged_into}") if belief.merged_into else []
    return msgspec.structs.replace(
        guard,
        version=history[-1][0] if history else NOTHING,
        history=history,
        belief=belief,
        root_version=root[-1].seq if root else NOTHING,
    )


_ENCODER = msgspec.json.Encoder(order="deterministic")
