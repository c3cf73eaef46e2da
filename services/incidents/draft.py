"""What one append is going to say about many alerts at once, and what it rests on.

A storm brings hundreds of alerts about one service in one delivery. They are decided one after the other on what was
loaded once, and stored in one atomic batch, whose version checks are the same as if each had been stored alone.
"""

from collections.abc import Sequence

from events import NOTHING, Event, EventLog, Recorded, Write
from events.ids import incident_id
from events.subjects import stream_of
from events.timers import Timer
from services.incidents.histories import Group, Histories, Loaded
from services.incidents.inhibiting import Claim, Meeting
from services.incidents.state import UNOPENED, fold

# Events of one append. The server takes 1,000 in a batch; a smaller one loses less when somebody else was faster, and
# more gains nothing: the sync that a batch costs is shared by all of it.
EVENTS_MAX = 250


class _Pending:
    """A write that may still grow."""

    def __init__(self, stream: str, after: int, rests_on: str) -> None:
        self.stream, self.after, self.rests_on = stream, after, rests_on
        self.events: list[Event] = []


class Draft:
    """Collects writes. Nothing is stored until somebody appends them.

    Args:
        log: tells which incident numbers are free.
        histories: knows where to begin to look.
    """

    def __init__(self, log: EventLog, histories: Histories) -> None:
        self._log = log
        self._histories = histories
        self._writes: list[_Pending] = []
        self._last: dict[str, _Pending] = {}
        self._number = 0
        self.size = 0
        """How many events it holds."""
        self.groups: dict[str, Group] = {}
        """By key, as they will be once the draft is stored."""
        self.incidents: dict[str, Loaded] = {}
        """By id, for those that it opens or that its groups go to, merges followed."""
        self.alerts: dict[str, list[Recorded]] = {}
        """The histories of the alerts that are looked at, by alert key."""
        self.meetings: dict[str, Meeting] = {}
        """The meeting places of inhibition, by key, as they will be once the draft is stored."""
        self.sources: dict[str, tuple[Claim, ...]] = {}
        """What alerts that hold others back say of themselves, by alert key."""
        self.silences: dict[str, int] = {}
        """The versions of the silences that hold alerts back, by id."""
        self.timers: dict[str, Timer] = {}
        """What is to be set before it is stored, by timer id."""

    @property
    def is_full(self) -> bool:
        """Whether it should be stored before more is said."""
        return self.size >= EVENTS_MAX

    def writes(self) -> tuple[Write, ...]:
        """What to append."""
        return tuple(Write(one.stream, one.after, tuple(one.events), rests_on=one.rests_on) for one in self._writes)

    def say(self, stream: str, version: int, *events: Event) -> None:
        """Add events to a stream, whose version counts when it is the first that is said of it."""
        write = self._last.get(stream) or self._begin(stream, version)
        write.events.extend(events)
        self.size += len(events)

    def says(self, stream: str) -> bool:
        """Whether something is said in a stream already."""
        return stream in self._last

    def set(self, timer: Timer) -> None:
        """Have a timer set before this is stored."""
        self.timers[timer.id] = timer

    async def new_incident_id(self) -> str:
        """An incident id that nobody has, nor this draft."""
        if not self._number:
            self._number = await self._histories.next_number()
        else:
            self._number += 1
            while await self._log.last(stream_of("incident", incident_id(self._number))):
                self._number += 1
        return incident_id(self._number)

    def open(
        self, identifier: str, events: Sequence[Event], group: Group, assigned: Event, *, over: Loaded | None
    ) -> None:
        """Open an incident for a group.

        Args:
            identifier: the new incident.
            events: its first facts, two at least.
            group: whose alerts it takes.
            assigned: says so.
            over: the incident that had the group and is over, and must still be when this is stored.
        """
        stream = stream_of("incident", identifier)
        first, *others = events
        self.say(stream, NOTHING, first)
        if over is not None and not any(over.stream in (one.rests_on, one.stream) for one in self._writes):
            self._begin(stream, over.version, rests_on=over.stream)
        self.say(stream, NOTHING, *others)
        self.say(group.stream, group.version, assigned)
        self.incidents[identifier] = Loaded(identifier, NOTHING, fold(events, UNOPENED))
        self.groups[group.key] = Group(group.key, group.version, (*group.assignments, (group.version, identifier)))

    def _begin(self, stream: str, version: int, *, rests_on: str = "") -> _Pending:
        write = _Pending(stream, version, rests_on)
        self._writes.append(write)
        self._last[stream] = write
        return write
