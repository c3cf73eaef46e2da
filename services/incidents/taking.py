"""What gives the alerts of a group to an incident that a person opens."""

from events import Event, EventLog, Write
from services.incidents.histories import Histories, Loaded, load_group


async def taking_its_group(
    log: EventLog, histories: Histories, key: str, taker: Loaded, event: Event, *, follows: bool = False
) -> Write | None:
    """What gives an incident that begins to be open the alerts of a group, unless another open one has them.

    When it has them already the write is made all the same: its version check keeps a new incident from being opened
    for the group in the same moment.

    Args:
        log: holds the groups.
        histories: loads the incident that has the group.
        key: the group.
        taker: the incident as it will be.
        event: says that it takes the group.
        follows: take it only when its alerts follow merges to the taker.
    """
    group = await load_group(log, key)
    if follows or (group.incident_id and group.incident_id != taker.incident_id):
        if not group.incident_id:
            return None
        current = await histories.root(group.incident_id)
        if follows and current.incident_id != taker.incident_id:
            return None
        if current.incident.is_open and current.incident_id != taker.incident_id:
            return None
    return Write(group.stream, group.version, (event,))
