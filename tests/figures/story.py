"""Measurements as a test tells them: the view ``measurements`` as a table of its own, and figures over it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import msgspec

from projections.catalog import Column
from projections.figures.cohort import Ask, Cohort, cells
from projections.figures.figure import Figure, Sample, figure, samples
from projections.query import Table

MINUTE = 60_000_000
FEBRUARY = datetime(2026, 2, 2, 9)

_COLUMNS = {
    "incident_id": "varchar",
    "metric": "varchar",
    "metric_version": "integer",
    "service": "varchar",
    "team": "varchar",
    "source": "varchar",
    "severity_declared": "varchar",
    "severity_peak": "varchar",
    "severity_final": "varchar",
    "cohort_at": "timestamp",
    "duration_us": "bigint",
    "state": "varchar",
    "reason": "varchar",
    "earliest_us": "bigint",
    "latest_us": "bigint",
}


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``measurements``."""

    incident_id: str = "INC-42"
    metric: str = "ttr_recover"
    metric_version: int = 1
    service: str | None = "checkout"
    team: str | None = None
    source: str | None = "alertmanager"
    severity_declared: str = "sev2"
    severity_peak: str = "sev1"
    severity_final: str = "sev3"
    cohort_at: datetime | None = FEBRUARY
    duration_us: int | None = None
    state: str = "measured"
    reason: str | None = None
    earliest_us: int | None = None
    latest_us: int | None = None


def lasted(*minutes: float, **columns: Any) -> list[Measured]:
    """Incidents that are over after so many minutes each."""
    return [Measured(duration_us=round(each * MINUTE), **columns) for each in minutes]


def lasting(*minutes: float, **columns: Any) -> list[Measured]:
    """Incidents that have lasted so many minutes and are not over."""
    return [
        Measured(duration_us=round(each * MINUTE), state="censored", reason="not resolved", **columns)
        for each in minutes
    ]


def excluded(reason: str, count: int = 1, **columns: Any) -> list[Measured]:
    """Incidents that are left out."""
    return [Measured(state="excluded", reason=reason, **columns)] * count


def in_week(number: int) -> dict[str, datetime]:
    """Started in one of the weeks from 2 February 2026, a Monday, on."""
    return {"cohort_at": FEBRUARY + timedelta(weeks=number)}


def asking(*told: Sequence[Measured]) -> Ask:
    """Queries over these measurements."""
    database = duckdb.connect()
    database.execute(f"create table measurements ({', '.join(f'{name} {kind}' for name, kind in _COLUMNS.items())})")
    rows = [[getattr(row, name) for name in _COLUMNS] for group in told for row in group]
    if rows:
        database.executemany(f"insert into measurements values ({', '.join('?' * len(_COLUMNS))})", rows)

    def ask(sql: str, params: Sequence[Any] = ()) -> Table:
        database.execute(sql, params)
        columns = tuple(Column(str(name), str(kind)) for name, kind, *_ in database.description or ())
        return Table(columns, database.fetchall(), False)

    return ask


def figures(*told: Sequence[Measured], cohort: Cohort | None = None, seed: int | None = None) -> dict[str, Figure]:
    """The figures of ``ttr_recover`` by group."""
    found = samples(cells(asking(*told), ["ttr_recover"], cohort or Cohort()))
    return {group: figure(metric, group, sample, seed=seed) for (metric, group), sample in found.items()}


def the_figure(*told: Sequence[Measured], cohort: Cohort | None = None, seed: int | None = None) -> Figure:
    """The only figure."""
    (only,) = figures(*told, cohort=cohort, seed=seed).values()
    return only


def sample(*told: Sequence[Measured]) -> Sample:
    """All measurements as one sample."""
    (only,) = samples(cells(asking(*told), ["ttr_recover"], Cohort())).values()
    return only
