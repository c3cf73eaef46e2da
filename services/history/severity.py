"""How severe a foreign incident was, and since when. Pure.

A severity that differs from the one told before, without a time of its own, is a change while the incident is open: it
happened between the two states. Of an incident that is over it is a correction.
"""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from events.incident import (
    IncidentDeclared,
    IncidentOpened,
    IncidentSeverityChanged,
    Severity,
    SeverityCorrected,
)
from services.history.belief import Belief, Told
from services.history.commands import Snapshot
from services.history.strands import About, Change, Telling

_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


class Since(msgspec.Struct, frozen=True):
    """A severity, and since when."""

    severity: Severity
    at: datetime
    earliest: datetime | None = None
    latest: datetime | None = None


def severity_history(belief: Belief, snapshot: Snapshot, about: About, *, open_now: bool) -> tuple[Since, ...]:
    """Every severity that the incident has had by a snapshot, oldest first."""
    if snapshot.severities is not UNSET:
        return tuple(Since(one.severity, one.at) for one in snapshot.severities)
    told = _told(belief)
    severity = snapshot.severity
    if severity is UNSET:
        return told
    if not told:
        return (Since(severity, _BEFORE_ALL),)
    if told[-1].severity == severity:
        return told
    if open_now:
        return (*told, Since(severity, about.known_at, about.previous_at, about.known_at))
    return (*told[:-1], replace(told[-1], severity=severity))


def in_force(history: Sequence[Since], at: datetime) -> Severity:
    """The severity at a moment; before the first that is known, the first."""
    return next((since.severity for since in reversed(history) if since.at <= at), history[0].severity)


def severity_changes(
    belief: Belief, history: Sequence[Since], about: About, *, kept_phases: Sequence[Told], told_anew: bool
) -> Change:
    """What brings the told severities to a history.

    Args:
        belief: what was told so far.
        history: every severity, oldest first.
        about: what the tellings share.
        kept_phases: the facts of the phases that stay.
        told_anew: a fact is told that carries a severity. The changes must then be told again after it.
    """
    corrections = [
        _correct(told, in_force(history, told.at), about)
        for told in kept_phases
        if isinstance(told.fact, IncidentOpened | IncidentDeclared) and told.fact.severity != in_force(history, told.at)
    ]
    told = belief.of(IncidentSeverityChanged)
    wanted = [
        Telling(
            fact=IncidentSeverityChanged(severity=since.severity, previous=before.severity),
            at=since.at,
            earliest=since.earliest,
            latest=since.latest,
        )
        for before, since in itertools.pairwise(history)
    ]
    kept = 0
    if not told_anew:
        for before, after in zip(told, wanted, strict=False):
            if before.at != after.at:
                break
            kept += 1
            if _severity_of(before) != after.fact.severity:  # type: ignore[attr-defined]
                corrections.append(_correct(before, after.fact.severity, about))  # type: ignore[attr-defined]
    retracted = [about.retract(one) for one in reversed(told[kept:])]
    return Change(kept, (*corrections, *retracted), tuple(wanted[kept:]))


def _told(belief: Belief) -> tuple[Since, ...]:
    first = belief.of(IncidentOpened, IncidentDeclared)[:1]
    return (
        *(Since(_severity_of(one), _BEFORE_ALL) for one in first),
        *(Since(_severity_of(one), one.at, one.earliest, one.latest) for one in belief.of(IncidentSeverityChanged)),
    )


def _correct(told: Told, severity: Severity, about: About) -> Telling:
    return about.now(
        SeverityCorrected(
            severity=severity,
            previous=_severity_of(told),
            replaces_event_id=told.event_id,
            replaces_seq=told.seq,
            reason=f"changed in {about.system}",
        )
    )


def _severity_of(told: Told) -> Severity:
    assert isinstance(told.fact, IncidentOpened | IncidentDeclared | IncidentSeverityChanged)
    return told.fact.severity
