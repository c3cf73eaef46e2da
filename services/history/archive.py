"""What the log holds of foreign incidents, loaded when it is needed: their guards, and what was told of them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from events import NOTHING, EventLog, Recorded
from events.ids import key_of
from events.imported import ImportFact, ImportTaken
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
    """What the log holds of the incidents that snapshots are about or name, read side by side. Of one of which they say
    nothing new, no more is read than that."""
    loaded = await _each(named(snapshots), lambda key: _newest(log, *key))
    new = named(one for one in snapshots if not loaded[one.system, one.id].knows(one))
    known = [key for key in new if loaded[key].incident_id]
    return loaded | await _each(known, lambda key: _whole(log, *key))


async def _each(keys: Iterable[Foreign], read: Callable[[Foreign], Awaitable[Loaded]]) -> dict[Foreign, Loaded]:
    unique = list(dict.fromkeys(keys))
    return dict(zip(unique, await asyncio.gather(*map(read, unique)), strict=True))


async def _newest(log: EventLog, system: str, external_id: str) -> Loaded:
    """The newest state alone: what a file holds is mostly either known or new."""
    guard = guard_of(system, external_id)
    newest = await log.last(guard)
    return _guard(guard, [newest] if newest else [])


async def _whole(log: EventLog, system: str, external_id: str) -> Loaded:
    """Every state, and the incident with what was told of it."""
    stream = guard_of(system, external_id)
    guard = _guard(stream, await log.read(stream))
    history = tuple((past.seq, past.event) for past in await log.read(guard.stream))
    belief = believe(history, system)
    root = await log.last(f"incident.{belief.merged_into}") if belief.merged_into else None
    return msgspec.structs.replace(
        guard,
        version=history[-1][0] if history else NOTHING,
        history=history,
        belief=belief,
        root_version=root.seq if root else NOTHING,
    )


def _guard(stream: str, history: Sequence[Recorded]) -> Loaded:
    incident_id, taken = "", list[Taken]()
    for past in history:
        assert isinstance(past.fact, ImportFact)
        incident_id = past.fact.incident_id
        if isinstance(past.fact, ImportTaken) and past.event.known_at is not None:
            taken.append(Taken(past.event.known_at, past.fact.content_sha256))
    version = history[-1].seq if history else NOTHING
    return Loaded(guard=stream, guard_version=version, incident_id=incident_id, taken=tuple(taken))


_ENCODER = msgspec.json.Encoder(order="deterministic")
