"""Who has duty, and the record of it: reads rotations and writes the shifts that took effect."""

from datetime import datetime

from events import Event, EventLog, Write
from events.fact import tag_of
from events.ids import derived_event_id
from events.subjects import split, stream_of
from events.timers import Timer, Timers
from services.decision import decide_and_append
from services.oncall.schedule import Shift, who_is_on_call
from services.oncall.shifts import Rotation, owed, rotation_of, wakes_at

SOURCE = "recount/oncall"
SHIFT_PURPOSE = "shift"


class Duty:
    """Answers who is on call now, and keeps the log's record of shifts complete."""

    def __init__(self, log: EventLog, timers: Timers) -> None:
        self._log = log
        self._timers = timers
        # A rotation's shifts add up over the years, so each is folded on from where it was.
        self._rotations: dict[str, Rotation] = {}

    async def on_call(self, rotation_id: str, moment: datetime) -> Shift | None:
        """The shift that covers a moment, by the newest configuration in the log."""
        rotation = await self._load(rotation_id)
        return who_is_on_call(rotation.latest, moment) if rotation.latest else None

    async def record_all(self, now: datetime) -> None:
        """Record what took effect while nobody was looking, in every rotation, and set their timers."""
        streams = dict.fromkeys(recorded.stream for recorded in await self._log.read_category("rotation"))
        for stream in streams:
            await self.record(split(stream)[1], now)

    async def record(self, rotation_id: str, now: datetime) -> None:
        """Record the hand-overs of one rotation that took effect by now, and have the next one told."""
        rotation = await self._load(rotation_id)
        if hand_over := wakes_at(rotation, now):
            await self._timers.set(
                Timer(
                    id=f"{SHIFT_PURPOSE}-{rotation_id}",
                    due_at=hand_over,
                    purpose=SHIFT_PURPOSE,
                    about=stream_of("rotation", rotation_id),
                )
            )

        async def attempt() -> tuple[tuple[Write, ...], None]:
            return self._missing(rotation_id, await self._load(rotation_id), now), None

        # One append holds so many hand-overs; after a long absence there are more.
        while (await decide_and_append(self._log, attempt))[0]:
            pass

    def _missing(self, rotation_id: str, rotation: Rotation, now: datetime) -> tuple[Write, ...]:
        stream = stream_of("rotation", rotation_id)
        events = tuple(
            Event(
                id=derived_event_id(stream, str(rotation.version), str(number), tag_of(type(fact))),
                fact=fact,
                happened_at=at,
                source=SOURCE,
            )
            for number, (at, fact) in enumerate(owed(rotation, now))
        )
        return (Write(stream, rotation.version, events),) if events else ()

    async def _load(self, rotation_id: str) -> Rotation:
        known = self._rotations.get(rotation_id, Rotation())
        newer = await self._log.read(stream_of("rotation", rotation_id), after=known.version)
        rotation = rotation_of(newer, known)
        if rotation.version >= self._rotations.get(rotation_id, known).version:
            self._rotations[rotation_id] = rotation
        return rotation
