"""The streams that belong to an incident beside its own: its escalation, its pages, its review and its alerts."""

from events import EventLog, Recorded, decode
from events.errors import Unreadable
from events.escalation import LevelReached
from events.subjects import split, stream_of
from services.incidents.histories import Loaded


async def pages_of(log: EventLog, incident_id: str) -> tuple[Recorded, ...]:
    """Everything that the pages of an incident tell."""
    escalation = await log.read(stream_of("escalation", incident_id))
    reached = [past.fact for past in escalation if isinstance(past.fact, LevelReached)]
    page_ids = [page_id for fact in reached for page_id in fact.page_ids]
    return tuple([past for page_id in page_ids for past in await log.read(stream_of("page", page_id))])


async def event_of(log: EventLog, loaded: Loaded, seq: int) -> Recorded | None:
    """The event at a position, when it is one of this incident or of what belongs to it; None otherwise."""
    stored = await log.get(seq)
    if stored is None:
        return None
    try:
        found = decode(stored)
    except Unreadable:
        return None
    return found if await _belongs(log, loaded, found.stream) else None


async def _belongs(log: EventLog, loaded: Loaded, stream: str) -> bool:
    category, identifier = split(stream)
    match category:
        case "incident" | "escalation" | "review":
            return identifier == loaded.incident_id
        case "alert":
            return any(identifier == alert_key for alert_key, _occurrence in loaded.incident.alerts_seen)
        case "page":
            return any(past.stream == stream for past in await pages_of(log, loaded.incident_id))
        case _:
            return False
