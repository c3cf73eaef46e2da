"""Which incidents a figure is about, and their measurements.

A cohort is chosen by when its incidents started (``cohort_at`` of the view ``measurements``), never by when they ended:
those that ended in a month are the shorter ones, and the open ones are not among them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from projections.query import Table

Ask = Callable[[str, Sequence[Any]], Table]
"""A query with its parameters, bound to a lens."""

By = Literal["", "service", "team", "source", "severity", "week", "month", "quarter", "person"]
SeverityKind = Literal["peak", "declared", "final"]

BY: tuple[By, ...] = ("service", "team", "source", "severity", "week", "month", "quarter", "person")
"""By person only pages are counted: an incident is nobody's."""
SEVERITY_KINDS: tuple[SeverityKind, ...] = ("peak", "declared", "final")
"""A severity changes while an incident lasts, so a figure says which one it means: the worst that it ever had, the one
that it was declared with, or the last one."""

NOBODY = "none"
"""What the group of incidents is called that name no service, team, source or severity."""

_GROUPS = {
    "service": "service",
    "team": "team",
    "source": "source",
    "person": "cast(null as varchar)",
    "week": "strftime(cohort_at, '%G-W%V')",
    "month": "strftime(cohort_at, '%Y-%m')",
    "quarter": "concat(year(cohort_at), '-Q', quarter(cohort_at))",
}


class Cohort(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Incidents by when they started and what they are; every part that is empty leaves all in."""

    start: datetime | None = None
    """Started at or after this moment; UTC without a zone."""
    end: datetime | None = None
    """Started before this moment."""
    severity_kind: SeverityKind = "peak"
    """Which severity is meant wherever one is named."""
    by: By = ""
    """What groups are made by."""
    value: str = ""
    """The only group that is meant."""
    service: str = ""
    team: str = ""
    source: str = ""
    severity: str = ""
    profile: str = ""
    """``ops`` or ``security``."""

    @property
    def key(self) -> bytes:
        """The same bytes for the same cohort, for ever: part of a seed and of a receipt."""
        return msgspec.json.encode(self, order="deterministic")

    def only(self, value: str) -> "Cohort":
        """One group of it."""
        return msgspec.structs.replace(self, value=value)

    def within(self, start: datetime, end: datetime) -> "Cohort":
        """The same incidents in another period."""
        return msgspec.structs.replace(self, start=start, end=end)


class Cell(msgspec.Struct, frozen=True):
    """So many incidents of a group with one measurement."""

    group: str
    """Empty when there are no groups."""
    metric: str
    version: int
    state: Literal["measured", "censored", "excluded"]
    reason: str
    duration_us: int | None
    earliest_us: int | None
    latest_us: int | None
    incidents: int


def cells(ask: Ask, metrics: Iterable[str], cohort: Cohort) -> list[Cell]:
    """The measurements of a cohort, those that are alike as one."""
    group = group_expression(cohort)
    where, params = conditions(metrics, cohort)
    table = ask(
        f"""
        select
            {group} as group_name, metric, metric_version, state, coalesce(reason, '') as reason,
            duration_us, earliest_us, latest_us, count(*) as incidents
        from measurements
        where {where}
        group by all
        order by all
        """,
        params,
    )
    return [Cell(*row) for row in table.rows]


def group_expression(cohort: Cohort) -> str:
    """SQL for the group of a row of ``measurements``."""
    if not cohort.by:
        return "''"
    column = f"severity_{cohort.severity_kind}" if cohort.by == "severity" else _GROUPS[cohort.by]
    return f"coalesce(nullif({column}, ''), '{NOBODY}')"


def conditions(metrics: Iterable[str], cohort: Cohort) -> tuple[str, list[Any]]:
    """SQL that holds for the rows of ``measurements`` that are meant, and its parameters."""
    parts: list[tuple[str, Any]] = [("list_contains(cast(? as varchar[]), metric)", list(metrics))]
    if cohort.start is not None:
        parts.append(("cohort_at >= ?", cohort.start))
    if cohort.end is not None:
        parts.append(("cohort_at < ?", cohort.end))
    for column in ("service", "team", "source"):
        if wanted := getattr(cohort, column):
            parts.append((f"coalesce(nullif({column}, ''), '{NOBODY}') = ?", wanted))
    if cohort.severity:
        parts.append((f"coalesce(nullif(severity_{cohort.severity_kind}, ''), '{NOBODY}') = ?", cohort.severity))
    if cohort.profile:
        of_profile = "incident_id in (select incident_id from metric_dimensions where profile = ?)"
        parts.append((of_profile, cohort.profile))
    if cohort.value:
        parts.append((f"{group_expression(cohort)} = ?", cohort.value))
    return " and ".join(condition for condition, _ in parts), [value for _, value in parts]
