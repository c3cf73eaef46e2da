"""What two runs of the same history made of it: incidents and pages added, removed and moved in time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from events import Recorded
from events.alert import AlertHeld, AlertPassedOver
from events.escalation import EscalationStarted
from events.incident import AlertLinked, IncidentDeclared, IncidentOpened
from events.page import PageRequested, PageWithheld
from events.subjects import split
from services.cli.counterfactual_acts import Occurrence

# Less is the time that services take, and says nothing.
MOVED_FROM = timedelta(seconds=1)

Change = Literal["added", "removed", "moved", "changed"]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident of a run."""

    incident_id: str
    began_at: datetime
    title: str
    severity: str
    service: str
    reason: str
    alerts: tuple[Occurrence, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a run."""

    page_id: str
    incident_id: str
    at: datetime
    whom: str
    """Person id, or the target that led to nobody."""
    level: int
    round: int
    withheld: str = ""
    """Why it was not sent; empty when it was asked for."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one firing in the end."""

    what: str
    """``incident``, ``held``, ``recorded`` or ``undecided``."""
    detail: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a run made of history."""

    incidents: dict[str, Incident]
    pages: dict[str, Page]
    outcomes: dict[Occurrence, Outcome]


class IncidentChange(msgspec.Struct, frozen=True, kw_only=True):
    """How one incident differs."""

    change: Change
    before: Incident | None
    after: Incident | None
    what: tuple[str, ...] = ()
    """In words, when both have it."""


class PageChange(msgspec.Struct, frozen=True, kw_only=True):
    """How one page differs."""

    change: Change
    before: Page | None
    after: Page | None


class AlertChange(msgspec.Struct, frozen=True, kw_only=True):
    """A firing of which something else became."""

    alert_key: str
    occurrence: int
    before: Outcome
    after: Outcome


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs, in order of time."""

    incidents: tuple[IncidentChange, ...]
    pages: tuple[PageChange, ...]
    alerts: tuple[AlertChange, ...]


def told_by(events: Iterable[Recorded]) -> Told:
    """What a run says in its events."""
    incidents: dict[str, Incident] = {}
    pages: dict[str, Page] = {}
    outcomes: dict[Occurrence, Outcome] = {}
    for recorded in events:
        category, identifier = split(recorded.stream)
        at, fact = recorded.recorded_at, recorded.fact
        match fact:
            case IncidentDeclared() | IncidentOpened() if identifier not in incidents:
                incidents[identifier] = Incident(
                    incident_id=identifier,
                    began_at=at,
                    title=fact.title,
                    severity=fact.severity,
                    service=fact.service,
                    reason=fact.reason,
                    alerts=(),
                )
            case AlertLinked(alert_key=key, occurrence=occurrence):
                if identifier in incidents and (key, occurrence) not in incidents[identifier].alerts:
                    had = incidents[identifier]
                    alerts = (*had.alerts, (key, occurrence))
                    incidents[identifier] = msgspec.structs.replace(had, alerts=alerts)
                outcomes[key, occurrence] = Outcome("incident", identifier)
            case AlertHeld(occurrence=occurrence, because=because, held_by=held_by):
                outcomes[identifier, occurrence] = Outcome("held", f"{because} by {held_by}")
            case AlertPassedOver(occurrence=occurrence, reason=reason):
                outcomes[identifier, occurrence] = Outcome("recorded", reason)
            case PageRequested():
                pages[identifier] = Page(
                    page_id=identifier,
                    incident_id=fact.incident_id,
                    at=at,
                    whom=fact.person_id,
                    level=fact.level,
                    round=fact.round,
                )
            case PageWithheld() if identifier not in pages:
                pages[identifier] = Page(
                    page_id=identifier,
                    incident_id=fact.incident_id,
                    at=at,
                    whom=fact.person_id or fact.target,
                    level=fact.level,
                    round=0,
                    withheld=fact.reason,
                )
            case EscalationStarted() | _:
                pass
        del category
    return Told(incidents=incidents, pages=pages, outcomes=outcomes)


def difference(before: Told, after: Told) -> Difference:
    """How two runs differ."""
    pairs = _pairs(before, after)
    incidents = [
        _incident_change(old, after.incidents[pairs[old.incident_id]] if old.incident_id in pairs else None)
        for old in before.incidents.values()
    ]
    taken = set(pairs.values())
    incidents += [_incident_change(None, new) for new in after.incidents.values() if new.incident_id not in taken]
    return Difference(
        incidents=tuple(sorted((each for each in incidents if each is not None), key=_when_incident)),
        pages=tuple(sorted(_page_changes(before.pages.values(), after.pages.values(), pairs), key=_when_page)),
        alerts=tuple(_alert_changes(before, after, pairs)),
    )


def _pairs(before: Told, after: Told) -> dict[str, str]:
    """Which incident of one run is which of the other: the one with the most alerts in common, each once; one without
    alerts is the one that was declared in the same words at the same time."""
    found: dict[str, str] = {}
    free = dict(after.incidents)
    for old in before.incidents.values():
        shared = {
            new.incident_id: len(set(old.alerts) & set(new.alerts)) + (_declared_alike(old, new))
            for new in free.values()
        }
        # The first of those with the most, in the order in which they began.
        best = max(shared, key=lambda identifier: shared[identifier], default=None)
        if best is not None and shared[best]:
            found[old.incident_id] = best
            del free[best]
    # What was open at the beginning is the same in both.
    for page in before.pages.values():
        if page.incident_id not in before.incidents:
            found[page.incident_id] = page.incident_id
    return found


def _declared_alike(old: Incident, new: Incident) -> bool:
    return not old.alerts and not new.alerts and (old.title, old.began_at) == (new.title, new.began_at)


def _incident_change(old: Incident | None, new: Incident | None) -> IncidentChange | None:
    if old is None or new is None:
        return IncidentChange(change="added" if old is None else "removed", before=old, after=new)
    what = []
    moved = abs(new.began_at - old.began_at) >= MOVED_FROM
    if moved:
        what.append(f"begins {_apart(old.began_at, new.began_at)}")
    if old.severity != new.severity:
        what.append(f"{old.severity} becomes {new.severity}")
    if set(old.alerts) != set(new.alerts):
        what.append(f"{len(old.alerts)} alerts become {len(new.alerts)}")
    if not what:
        return None
    return IncidentChange(change="moved" if moved else "changed", before=old, after=new, what=tuple(what))


def _page_changes(before: Iterable[Page], after: Iterable[Page], pairs: Mapping[str, str]) -> list[PageChange]:
    def place(page: Page, incident_id: str) -> tuple[str, str, int, int, bool]:
        return incident_id, page.whom, page.level, page.round, bool(page.withheld)

    found: list[PageChange] = []
    waiting: dict[tuple[str, str, int, int, bool], list[Page]] = {}
    for page in after:
        waiting.setdefault(place(page, page.incident_id), []).append(page)
    for page in before:
        same = waiting.get(place(page, pairs.get(page.incident_id, "")))
        if not same:
            found.append(PageChange(change="removed", before=page, after=None))
            continue
        other = same.pop(0)
        if abs(other.at - page.at) >= MOVED_FROM:
            found.append(PageChange(change="moved", before=page, after=other))
    found += [PageChange(change="added", before=None, after=page) for left in waiting.values() for page in left]
    return found


def _alert_changes(before: Told, after: Told, pairs: Mapping[str, str]) -> list[AlertChange]:
    found = []
    for key, occurrence in sorted({*before.outcomes, *after.outcomes}):
        old = before.outcomes.get((key, occurrence), Outcome("undecided"))
        new = after.outcomes.get((key, occurrence), Outcome("undecided"))
        is_same = old == new or (old.what == new.what == "incident" and pairs.get(old.detail, old.detail) == new.detail)
        if not is_same:
            found.append(AlertChange(alert_key=key, occurrence=occurrence, before=old, after=new))
    return found


def _when_incident(change: IncidentChange) -> tuple[datetime, str]:
    one = change.before or change.after
    assert one is not None
    return one.began_at, one.incident_id


def _when_page(change: PageChange) -> tuple[datetime, str]:
    one = change.before or change.after
    assert one is not None
    return one.at, one.page_id


def _apart(old: datetime, new: datetime) -> str:
    seconds = round(abs((new - old).total_seconds()))
    return f"{seconds} s {'later' if new > old else 'earlier'}"


def counted(changes: Sequence[IncidentChange | PageChange]) -> dict[str, int]:
    """How many of each kind."""
    return {kind: sum(each.change == kind for each in changes) for kind in ("added", "removed", "moved", "changed")}
