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
    with linked as (
        select change_key, list(part order by part) as parts
        from incident_changes
        where incident_id = ?
        group by change_key
    )
    select changes.*, coalesce(linked.parts, []) as parts
    from changes
    left join linked using (change_key)
    where linked.change_key is not null
        or (changes.service = ? and changes.changed_at >= ? and (changes.changed_at <= ? or ?))
    order by linked.change_key is null, changes.changed_at desc, changes.change_key limit {AROUND_MAX}
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
    """Changes that are said to be a cause or a remedy of an incident (its ``parts``), and after them those of its
    service from `BEFORE_INCIDENT` until it was resolved, the newest first.

    Args:
        reader: asks the warehouse.
        incident: its row of the view ``incidents``.
        as_of: the lens to look through, None for the present.
    """
    began = [incident[name] for name in ("impact_started_at", "detected_at", "opened_at") if incident[name]]
    since = min(began) - BEFORE_INCIDENT if began else None
    resolved_at = incident["resolved_at"]
    asked = (incident["incident_id"], incident["service"] or None, since, resolved_at or _EVER, resolved_at is None)
    return await reader.rows(_AROUND, asked, as_of=as_of)
