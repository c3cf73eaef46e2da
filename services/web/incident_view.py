"""Everything that is known about one incident, as of a position: for the page, the API and replay."""

import asyncio
from typing import Any

import msgspec

from projections.lens import AsOf
from services.web.problems import Problem
from services.web.reader import Reader

# A page with more lines than this is no longer read by anybody; the API and SQL give them all.
TIMELINE_LINES_MAX = 2_000

_MOMENTS = f"""
    select seq, happened_at, headline, actor from incident_timeline
    where incident_id = ? order by seq limit {TIMELINE_LINES_MAX}
"""

_QUERIES = {
    "timeline": f"""
        select * from (
            select * from incident_timeline where incident_id = ? order by seq desc limit {TIMELINE_LINES_MAX}
        ) order by seq
    """,
    "alerts": "select * from alerts where incident_id = ? order by started_at, alert_key",
    "pages": "select * from pages where incident_id = ? order by requested_at, page_id",
    "roles": "select * from roles where incident_id = ? order by since, role, person_id",
    "responders": "select * from responders where incident_id = ? order by acknowledged_at, person_id",
    "milestones": "select * from incident_milestones where incident_id = ? order by happened_at, seq",
    "impact": "select * from impact_intervals where incident_id = ? order by started_at, scope",
    # An offer stands until its holder offers the role to another, hands it over, or is relieved of it.
    "offers": """
        select role, person_id, actor as offered_by, happened_at as offered_at
        from incident_role_handoff_offered as offer
        where stream_id = ? and not exists (
            from incident_facts as later
            where later.stream_id = offer.stream_id and later.seq > offer.seq and later.role = offer.role
                and case later.type
                    when 'incident.role_handoff_offered' then later.actor = offer.actor
                    when 'incident.role_handoff_accepted' then later.previous_person_id = offer.actor
                    when 'incident.role_relieved' then later.person_id = offer.actor
                end
        )
        order by offered_at, role, person_id
    """,
    "corrections": "select * from corrections where incident_id = ? order by seq",
    "action_items": "select * from action_items where incident_id = ? order by agreed_at, action_id",
}


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """One incident: its row, and the rows that belong to it."""

    incident: dict[str, Any]
    timeline: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    pages: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    """Roles that their holders offer to somebody who has not accepted yet."""
    responders: list[dict[str, Any]]
    milestones: list[dict[str, Any]]
    impact: list[dict[str, Any]]
    corrections: list[dict[str, Any]]
    """What was said and is believed otherwise since."""
    action_items: list[dict[str, Any]]

    def holders(self, role: str) -> list[str]:
        """Person ids of who holds a role."""
        return [row["person_id"] for row in self.roles if row["role"] == role and row["until"] is None]


async def read_incident(reader: Reader, incident_id: str, as_of: AsOf) -> IncidentView:
    """One incident through a lens, or at present.

    Raises:
        Problem: 404, it is not known (at that position).
    """
    about = f"incident.{incident_id}"
    found = await reader.rows("select * from incidents where incident_id = ?", (incident_id,), as_of=as_of, about=about)
    if not found:
        raise Problem(
            404,
            f"There is no incident {incident_id[:64]}",
            because=f"none was known at log position {reader.position_of(as_of)}",
            instead="`recount list` shows those that there are; with `--all` those that are over, too.",
        )
    parts = await asyncio.gather(
        *(reader.rows(sql, (incident_id,), as_of=as_of, about=about) for sql in _QUERIES.values())
    )
    return IncidentView(incident=found[0], **dict(zip(_QUERIES, parts, strict=True)))


async def read_moments(reader: Reader, incident_id: str) -> list[dict[str, Any]]:
    """Where a replay of an incident may stop: ``seq``, ``happened_at`` and ``headline`` of all that is known now."""
    return await reader.rows(_MOMENTS, (incident_id,), about=f"incident.{incident_id}")
