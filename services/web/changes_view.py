"""Changes that senders told of: all of them, and those around an incident."""

from datetime import datetime, timedelta
from typing import Any

from projections.lens import AsOf
from services.web.reader import Reader

# More than a responder looks through; SQL gives all.
LISTED_MAX = 200
# Around one incident: what fits beside its timeline.
AROUND_MAX = 20
# A change can do its harm hours later: a cache expires, a nightly job runs, the morning's traffic comes.
BEFORE_INCIDENT = timedelta(hours=24)

_LIST = f"""
    select * from changes
    where ? in ('', service) and changed_at >= ?
    order by changed_at desc, change_key limit {LISTED_MAX}
"""
_AROUND = f"""
    select * from changes
    where service = ? and changed_at >= ? and (changed_at <= ? or ?)
    order by changed_at desc, change_key limit {AROUND_MAX}
"""
_EVER = datetime.fromisoformat("1970-01-01T00:00:00Z")


async def read_changes(
    reader: Reader, as_of: AsOf, *, service: str = "", since: datetime | None = None
) -> list[dict[str, Any]]:
    """Changes, the newest first.

    Args:
        reader: asks the warehouse.
        as_of: the lens to look through, None for the present.
        service: only those of one service.
        since: only those that got anywhere since then.
    """
    return await reader.rows(_LIST, (service, since or _EVER), as_of=as_of)


async def read_changes_around(reader: Reader, incident: dict[str, Any], as_of: AsOf) -> list[dict[str, Any]]:
    """Changes of an incident's service from `BEFORE_INCIDENT` until it was resolved, the newest first.

    Args:
        reader: asks the warehouse.
        incident: its row of the view ``incidents``.
        as_of: the lens to look through, None for the present.
    """
    if not incident["service"]:
        return []
    began = [incident[name] for name in ("impact_started_at", "detected_at", "opened_at") if incident[name]]
    if not began:
        return []
    resolved_at = incident["resolved_at"]
    asked = (incident["service"], min(began) - BEFORE_INCIDENT, resolved_at or _EVER, resolved_at is None)
    return await reader.rows(_AROUND, asked, as_of=as_of)
