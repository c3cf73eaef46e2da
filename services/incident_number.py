"""The next free number of an incident. Two may be told the same; the version check lets one of them have it."""

from events import EventLog
from events.ids import incident_id, incident_number
from events.subjects import split


async def next_number(log: EventLog, *, taken: int = 0) -> int:
    """A number that no incident has. Numbers are given one after the other, so it takes few reads however many there
    are.

    Args:
        log: holds them.
        taken: one that an incident is known to have, which spares asking for the newest: the server looks through all
            incidents for that.
    """
    if not taken:
        for name in ("declared", "opened"):
            if last := await log.last_of("incident", name):
                taken = max(taken, incident_number(split(last.stream)[1]))
    # The last one recorded need not have the highest number: an incident of triage is declared later.
    step = 1
    while await _is_taken(log, taken + step):
        taken, step = taken + step, 2 * step
    free = taken + step
    while free - taken > 1:
        middle = (taken + free) // 2
        if await _is_taken(log, middle):
            taken = middle
        else:
            free = middle
    return free


async def _is_taken(log: EventLog, number: int) -> bool:
    return await log.last(f"incident.{incident_id(number)}") is not None
