"""Incidents as their streams make them, loaded when they are needed."""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from events import NOTHING, EventLog, Fact, Recorded
from events.group import GroupAssigned
from events.incident import Correction
from services.incident_number import next_number
from services.incidents.state import UNOPENED, Incident, fold

# An incident takes a few kilobytes; what was worked on last stays.
CACHED_INCIDENTS_MAX = 500
# Alerts of all that are kept, together, because one that gathered a storm holds thousands, at about 500 bytes each.
CACHED_ALERTS_MAX = 50_000


class Loaded(msgspec.Struct, frozen=True):
    """An incident and the version of its stream."""

    incident_id: str
    version: int
    incident: Incident

    @property
    def stream(self) -> str:
        """The stream it was folded from."""
        return f"incident.{self.incident_id}"


class Histories:
    """Loads incidents, and keeps the last used so that a long history is folded once.

    What is kept is never trusted alone: each load reads what was appended since.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, Loaded] = OrderedDict()
        self._taken = 0
        """The highest number that an incident is known to have."""

    async def incident(self, identifier: str) -> Loaded:
        """The incident as it is now; `UNOPENED` at version 0 when there is none."""
        known = self._kept.get(identifier, Loaded(identifier, NOTHING, UNOPENED))
        news = await self._log.read(known.stream, after=known.version)
        if not news:
            return known
        start = known.incident
        if known.version != NOTHING and any(isinstance(past.fact, Correction) for past in news):
            # A correction reaches back to what is folded already.
            news, start = await self._log.read(known.stream), UNOPENED
        loaded = Loaded(identifier, news[-1].seq, fold((past.event for past in news), start))
        newest = self._kept.get(identifier)
        if newest is None or newest.version < loaded.version:  # another load may have read further meanwhile
            self._kept[identifier] = loaded
            self._kept.move_to_end(identifier)
        while len(self._kept) > 1 and (len(self._kept) > CACHED_INCIDENTS_MAX or self._alerts() > CACHED_ALERTS_MAX):
            self._kept.popitem(last=False)
        return loaded

    def _alerts(self) -> int:
        return sum(len(loaded.incident.alerts_seen) for loaded in self._kept.values())

    async def root(self, identifier: str) -> Loaded:
        """The incident that carries on for this one: itself, unless it was merged."""
        loaded = await self.incident(identifier)
        passed = {identifier}
        while loaded.incident.phase == "merged" and loaded.incident.merged_into not in passed:
            passed.add(loaded.incident.merged_into)
            loaded = await self.incident(loaded.incident.merged_into)
        return loaded

    async def with_roots(self, identifiers: Sequence[str]) -> list[Loaded]:
        """These incidents and every one that they were ever merged into, undone or not."""
        found: dict[str, Loaded] = {}
        waiting = list(identifiers)
        while waiting:
            identifier = waiting.pop()
            if identifier not in found:
                found[identifier] = await self.incident(identifier)
                waiting.extend(found[identifier].incident.merges)
        return list(found.values())

    async def with_absorbed(self, incident: Incident) -> list[Loaded]:
        """Every incident that was merged into this one, directly or into one that was."""
        found: dict[str, Loaded] = {}
        waiting = sorted(incident.absorbed)
        while waiting:
            identifier = waiting.pop()
            if identifier not in found:
                found[identifier] = await self.incident(identifier)
                waiting.extend(sorted(found[identifier].incident.absorbed))
        return list(found.values())

    async def next_number(self) -> int:
        """A number that no incident has. Two may be told the same; the version check lets one of them have it."""
        free = await next_number(self._log, taken=self._taken)
        self._taken = free - 1
        return free


class Group(msgspec.Struct, frozen=True):
    """Which incidents a group of alerts went to, oldest first."""

    key: str
    version: int
    assignments: tuple[tuple[int, str], ...]
    """Log position and incident id."""

    @property
    def stream(self) -> str:
        """The stream it was folded from."""
        return f"group.{self.key}"

    @property
    def incident_id(self) -> str:
        """Where its alerts go now, or went last; empty when there was none yet."""
        return self.assignments[-1][1] if self.assignments else ""

    def since(self, seq: int) -> list[str]:
        """The incidents that can have answered an event at this position: the one that had the group then, and later
        ones."""
        found = []
        for position, identifier in reversed(self.assignments):
            found.append(identifier)
            if position < seq:
                break
        return found


async def load_group(log: EventLog, key: str) -> Group:
    """A group as its stream makes it."""
    history: list[Recorded] = await log.read(f"group.{key}")
    assignments = tuple((past.seq, _incident_of(past.fact)) for past in history)
    return Group(key, history[-1].seq if history else NOTHING, assignments)


def _incident_of(fact: Fact) -> str:
    assert isinstance(fact, GroupAssigned)
    return fact.incident_id
