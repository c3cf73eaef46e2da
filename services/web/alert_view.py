"""What is known about alerts: the list, and one alert with all that it did."""

from collections.abc import Mapping
from typing import Any

import msgspec

from events.alert import ALERT_SEVERITIES
from projections.lens import AsOf
from projections.slice import listed
from services.rules.verdict import labels_to_match
from services.web.problems import Problem
from services.web.reader import Reader

# More than a person looks through; the others are found by the filters, or by SQL.
LISTED_MAX = 200
TIMELINE_LINES_MAX = 500
# Alerts that are tried against the matchers of a silence that is being written: firing ones, the newest.
TRIED_MAX = 5_000

FILTERS = {
    "firing": "state <> 'cleared'",
    "held": "held_because is not null",
    "in no incident": "state <> 'cleared' and incident_id is null",
    "cleared": "state = 'cleared'",
    "all": "true",
}
DEFAULT_FILTER = "firing"

_BY_SEVERITY = " ".join(f"when '{severity}' then {rank}" for rank, severity in enumerate(ALERT_SEVERITIES))
_LISTED = """
    alert_key, state, title, severity, service, sender, occurrence, started_at, cleared_at, received_at, incident_id,
    passed_over_reason, held_because, held_by, held_until_at
"""


class AlertQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of alerts is narrowed to; empty means all."""

    state: str = DEFAULT_FILTER
    severity: str = ""
    service: str = ""
    text: str = ""
    """Part of a title, fingerprint or label value."""

    @property
    def _where(self) -> str:
        return (
            "($1 = '' or severity = $1) and ($2 = '' or service = $2) and ($3 = '' or fingerprint = $3 "
            "or contains(lower(title), lower($3)) or list_contains(map_values(labels), $3))"
        )

    @property
    def _params(self) -> tuple[str, str, str]:
        return self.severity, self.service, self.text

    async def rows(self, reader: Reader, lens: AsOf) -> list[dict[str, Any]]:
        """The alerts: what holds first, the most severe on top, then the newest."""
        return await reader.rows(
            f"""
            select {_LISTED}
            from alerts
            where ({FILTERS[self.state]}) and {self._where}
            order by state = 'cleared', case severity {_BY_SEVERITY} end, received_at desc, alert_key
            limit {LISTED_MAX}
            """,
            self._params,
            as_of=lens,
        )

    async def counts(self, reader: Reader, lens: AsOf) -> dict[str, int]:
        """How many there are by each filter of state."""
        counted = ", ".join(f'count(*) filter (where {where}) as "{name}"' for name, where in FILTERS.items())
        (row,) = await reader.rows(f"select {counted} from alerts where {self._where}", self._params, as_of=lens)
        return dict(row)


def alert_query(state: str, severity: str, service: str, text: str) -> AlertQuery:
    """What somebody asks to see.

    Raises:
        Problem: 400, there is no such state or severity.
    """
    if state not in FILTERS:
        raise Problem(
            400,
            f"There is no filter {state[:40]!r}",
            because=f"alerts are {', '.join(FILTERS)}",
            instead="Choose one above the list of alerts.",
        )
    if severity and severity not in ALERT_SEVERITIES:
        raise Problem(
            400,
            f"There is no severity {severity[:40]!r}",
            because=f"alerts are {', '.join(ALERT_SEVERITIES)}",
            instead="Choose one above the list of alerts.",
        )
    return AlertQuery(state=state, severity=severity, service=service[:200], text=text.strip()[:200])


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """One alert: its row, and what it did."""

    alert: dict[str, Any]
    timeline: list[dict[str, Any]]
    """Its own facts and where it was put, in log order."""
    occurrences: list[dict[str, Any]]
    """Each firing with its clearing, the newest first."""

    @property
    def labels(self) -> dict[str, str]:
        """What matchers see."""
        return matching_labels(self.alert)


async def read_alert(reader: Reader, alert_key: str, lens: AsOf) -> AlertView:
    """One alert through a lens, or at present.

    Raises:
        Problem: 404, it is not known (at that position).
    """
    found = await reader.rows("select * from alerts where alert_key = ?", (alert_key,), as_of=lens)
    if not found:
        raise Problem(
            404,
            f"There is no alert {alert_key[:64]}",
            because=f"none was known at log position {reader.position_of(lens)}",
            instead="Start from the list of alerts.",
        )
    key = listed([alert_key])
    timeline = await reader.rows(
        f"""
        select seq, stream, type, happened_at, recorded_at, coalesce(actor, source) as actor, headline, retracted_by_seq
        from history
        where stream_id = {key} and category = 'alert'
        order by seq desc limit {TIMELINE_LINES_MAX}
        """,
        as_of=lens,
    )
    placed = await reader.rows(
        f"""
        select seq, stream, type, happened_at, recorded_at, coalesce(actor, source) as actor, headline,
            null as retracted_by_seq, stream_id as incident_id
        from incident_alert_linked where alert_key = {key}
        order by seq desc limit {TIMELINE_LINES_MAX}
        """,
        as_of=lens,
    )
    occurrences = await reader.rows(
        f"""
        with numbered as (
            select seq, type, happened_at, severity,
                max(occurrence) filter (where type = 'alert.fired') over (order by seq) as occurrence
            from alert_facts where stream_id = {key}
        )
        select
            occurrence,
            min(happened_at) filter (where type = 'alert.fired') as started_at,
            max(happened_at) filter (where type = 'alert.cleared') as cleared_at,
            arg_max(severity, seq) as severity
        from numbered
        where occurrence is not null
        group by occurrence
        order by occurrence desc limit {LISTED_MAX}
        """,
        as_of=lens,
    )
    joined = {link["seq"]: link for link in (*timeline, *placed)}
    incidents = {link["seq"]: link["incident_id"] for link in placed}
    lines = [line | {"incident_id": incidents.get(seq)} for seq, line in sorted(joined.items())]
    return AlertView(alert=found[0], timeline=lines, occurrences=occurrences)


async def firing_alerts(reader: Reader, lens: AsOf = None) -> list[dict[str, Any]]:
    """The alerts that fire, with what matchers see of them."""
    return await reader.rows(
        f"select {_LISTED}, integration, labels from alerts where state <> 'cleared' "
        f"order by received_at desc, alert_key limit {TRIED_MAX}",
        as_of=lens,
    )


def matching_labels(alert: Mapping[str, Any]) -> dict[str, str]:
    """What matchers see of an alert, as it stands."""
    return labels_to_match(
        dict(alert["labels"] or {}),
        service=alert["service"] or "",
        severity=alert["severity"],
        sender=alert["sender"] or "",
        integration=alert["integration"] or "",
        title=alert["title"] or "",
    )
