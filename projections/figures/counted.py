"""Figures of what is counted instead of timed: proportions with Wilson's interval, rates with Garwood's, and sums.

Each comes from a view with a month, whose rows may be added up; parts and rates themselves may not be. A sum and a mean
per person have no interval: they are what happened, not an estimate of something else.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from events import RecountError
from projections.figures.cohort import NOBODY, Ask, Cohort
from projections.figures.rates import Share, proportion, rate

RATE_PER_US = 30 * 86_400 * 1_000_000
"""Rates are told for 30 days."""


class NotKnownBy(RecountError):
    """A count is asked for by something that it was not counted by."""


Kind = Literal["proportion", "rate", "per person", "minutes"]
"""``proportion``: a part of a whole. ``rate``: events in a time. ``per person``: events over the people whom they met.
``minutes``: microseconds added up, over so many incidents."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """Where a counted figure comes from."""

    metric: str
    view: str
    part: str
    """SQL for what is counted, in a row of the view."""
    whole: str
    """SQL for what it is a part of, for the microseconds in which it was counted, for the person, or for how many
    incidents it was added up over."""
    kind: Kind
    words: str
    """What the number is, after it."""
    columns: frozenset[str]
    """What of a cohort it was counted by, besides the month."""
    lasting: str = ""
    """SQL for whether what a row adds still grows; empty where nothing does."""
    version: int = 1


COUNTS = (
    Count(
        metric="relapse_rate",
        view="reopen_rate",
        part="relapsed",
        whole="resolved",
        kind="proportion",
        words="of the resolved incidents came back within 14 days",
        columns=frozenset({"service", "team", "severity"}),
    ),
    Count(
        metric="mistake_rate",
        view="reopen_rate",
        part="mistaken",
        whole="resolved",
        kind="proportion",
        words="of the resolved incidents had not really been resolved",
        columns=frozenset({"service", "team", "severity"}),
    ),
    Count(
        metric="detection_precision",
        view="detection_precision",
        part="confirmed",
        whole="confirmed + false_positive + benign",
        kind="proportion",
        words="of what was found and judged was real",
        columns=frozenset({"service", "team", "source"}),
    ),
    Count(
        metric="failure_rate",
        view="failure_rate",
        part="failures",
        whole="exposure_us",
        kind="rate",
        words="failures in 30 days of being up",
        columns=frozenset({"service"}),
    ),
    Count(
        metric="dora_change_fail_rate",
        view="dora_changes",
        part="failed",
        whole="deployments",
        kind="proportion",
        words="of the deployments caused an incident, as somebody says",
        columns=frozenset({"service"}),
    ),
    Count(
        metric="dora_rework_rate",
        view="dora_changes",
        part="rework",
        whole="deployments",
        kind="proportion",
        words="of the deployments were made to end an incident, as somebody says",
        columns=frozenset({"service"}),
    ),
    Count(
        metric="dora_deployment_frequency",
        view="dora_changes",
        part="deployments",
        whole="observed_us",
        kind="rate",
        words="deployments of a service in 30 days",
        columns=frozenset({"service"}),
    ),
    Count(
        metric="impact_minutes",
        view="impact_minutes",
        part="weighted_us",
        whole="cast(weighted_us is not null as integer)",
        kind="minutes",
        words="minutes of impact, each counted as often as its level (1 minor to 4 total) and in every scope",
        columns=frozenset({"service", "team", "source", "severity"}),
        lasting="state = 'censored'",
    ),
    Count(
        metric="pages_per_person",
        view="delivered_pages",
        part="1",
        whole="person_id",
        kind="per person",
        words="pages for each person who was paged",
        columns=frozenset({"service", "team", "severity", "person"}),
    ),
    Count(
        metric="pages_out_of_hours",
        view="delivered_pages",
        part="cast(out_of_hours as integer)",
        whole="1",
        kind="proportion",
        words="of the pages came before 08:00, from 18:00, or at a weekend",
        columns=frozenset({"service", "team", "severity", "person"}),
    ),
    Count(
        metric="pages_at_night",
        view="delivered_pages",
        part="cast(at_night as integer)",
        whole="1",
        kind="proportion",
        words="of the pages came between 22:00 and 07:00",
        columns=frozenset({"service", "team", "severity", "person"}),
    ),
)
BY_NAME = {count.metric: count for count in COUNTS}

_TIMES = {"month": "strftime(month, '%Y-%m')", "quarter": "concat(year(month), '-Q', quarter(month))"}


class Counted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was counted in a cohort."""

    metric: str
    version: int
    group: str
    kind: Kind
    words: str
    part: int
    """How many; for ``minutes``, in microseconds."""
    whole: int
    """Of how many; for a rate, in how many microseconds; else over how many people or incidents."""
    share: Share | None
    """The number with its 95 % interval; None of nothing, and of what is no estimate."""
    lasting: int = 0
    """How many of ``whole`` are not over, so that what they add still grows."""
    lasting_part: int = 0
    """What those add so far."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says, the first 32 hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:32]


def counted(ask: Ask, count: Count, cohort: Cohort) -> list[Counted]:
    """The figures of a cohort, one a group.

    Raises:
        NotKnownBy: it was not counted by what the cohort is narrowed or grouped by, or the window cuts a month.
    """
    refuse_unknown(count, cohort)
    group = _group(cohort)
    where, params = _conditions(cohort)
    whole = f"count(distinct {count.whole})" if count.kind == "per person" else f"sum({count.whole})"
    lasting = count.lasting or "false"
    table = ask(
        f"""
        select
            {group} as group_name,
            cast(coalesce(sum({count.part}), 0) as bigint),
            cast(coalesce({whole}, 0) as bigint),
            count(*) filter (where {lasting}),
            cast(coalesce(sum({count.part}) filter (where {lasting}), 0) as bigint)
        from {count.view}
        where {where}
        group by all
        order by all
        """,
        params,
    )
    rows = table.rows or ([] if cohort.by else [("", 0, 0, 0, 0)])
    return [counted_of(count, *row) for row in rows]


def counted_of(count: Count, group: str, part: int, whole: int, lasting: int = 0, lasting_part: int = 0) -> Counted:
    """The figure of one group."""
    share = None
    if count.kind == "proportion":
        share = proportion(part, whole)
    elif count.kind == "rate":
        share = rate(part, whole / RATE_PER_US)
    return Counted(
        metric=count.metric,
        version=count.version,
        group=group,
        kind=count.kind,
        words=count.words,
        part=part,
        whole=whole,
        share=share,
        lasting=lasting,
        lasting_part=lasting_part,
    )


def refuse_unknown(count: Count, cohort: Cohort) -> None:
    """Refuse a cohort that a count cannot tell apart.

    Raises:
        NotKnownBy: says by what.
    """
    narrowed = {name for name in ("service", "team", "source", "severity", "profile") if getattr(cohort, name)}
    wanted = narrowed | ({cohort.by} if cohort.by and cohort.by not in _TIMES else set())
    unknown = sorted(wanted - count.columns)
    known = ", ".join((*sorted(count.columns), *_TIMES))
    if unknown:
        raise NotKnownBy(f"{count.metric} is not counted by {unknown[0]}", hint=f"It is by {known}.")
    if "severity" in wanted and cohort.severity_kind != "declared":
        raise NotKnownBy(
            f"{count.metric} is counted by declared severity, not by the {cohort.severity_kind} one",
            hint="Ask for the declared severity.",
        )
    if not all(_begins_a_month(moment) for moment in (cohort.start, cohort.end)):
        raise NotKnownBy(f"{count.metric} is counted by whole months", hint="Ask for a month, a quarter or a year.")


def _group(cohort: Cohort) -> str:
    if not cohort.by:
        return "''"
    return _TIMES.get(cohort.by) or _named(cohort.by)


_COLUMNS = {"severity": "severity_declared", "person": "person_id"}


def _named(column: str) -> str:
    return f"coalesce(nullif({_COLUMNS.get(column, column)}, ''), '{NOBODY}')"


def _conditions(cohort: Cohort) -> tuple[str, Sequence[Any]]:
    parts: list[tuple[str, Any]] = []
    if cohort.start is not None:
        parts.append(("month >= ?", cohort.start))
    if cohort.end is not None:
        parts.append(("month < ?", cohort.end))
    for column in ("service", "team", "source", "severity"):
        if wanted := getattr(cohort, column):
            parts.append((f"{_named(column)} = ?", wanted))
    if cohort.value:
        parts.append((f"{_group(cohort)} = ?", cohort.value))
    return " and ".join(["true", *(condition for condition, _ in parts)]), [value for _, value in parts]


def _begins_a_month(moment: datetime | None) -> bool:
    return moment is None or moment == datetime(moment.year, moment.month, 1)
