"""Say that an alert cleared which its sender has not repeated for as long as its route allows."""

from datetime import datetime

from events import Event, EventLog, Write
from events.alert import AlertCleared, AlertClearedUnseen, AlertFired
from events.ids import derived_event_id
from services.incidents.saying import ACTOR, SOURCE


async def expire(log: EventLog, stream: str, now: datetime) -> tuple[tuple[Write, ...], None]:
    """What there is to say about an alert whose timer has fired; nothing when it does not fire any more."""
    history = await log.read(stream)
    last = next(
        (past for past in reversed(history) if isinstance(past.fact, AlertFired | AlertCleared | AlertClearedUnseen)),
        None,
    )
    if last is None or not isinstance(last.fact, AlertFired):
        return (), None
    cleared = Event(
        id=derived_event_id(last.event.id, "expired"),
        fact=AlertCleared(title=last.fact.title, because="expired"),
        happened_at=now,
        source=SOURCE,
        actor=ACTOR,
        causation_id=last.event.id,
    )
    return (Write(stream, history[-1].seq, (cleared,)),), None
