"""Snapshots out of what Statuspage publishes: a document of ``/api/v2/incidents.json``. Pure.

The API is described at https://developer.statuspage.io. A document is the list as it was at ``page.updated_at``.
Its words become ours like this:

* the first update declares the incident; *monitoring* contains it, *resolved* resolves it, *postmortem* closes it;
  going back from monitoring is a regression, going back from resolved a relapse;
* the impact *critical*, *major*, *minor*, *none* and *maintenance* is sev1 to sev5;
* each component that is not *operational* has impact, from the update that says so to the one that says otherwise.

``started_at`` and ``created_at`` are no milestones: the page says neither when it was detected nor when users were
first affected.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from events.incident import Severity
from services.history.commands import Impact, LevelFrom, Reached, Snapshot, Step, Update

SYSTEM = "statuspage"

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]

_SEVERITY: dict[str, Severity] = {
    "critical": "sev1",
    "major": "sev2",
    "minor": "sev3",
    "none": "sev4",
    "maintenance": "sev5",
}
_LEVEL = {"operational": 0, "under_maintenance": 1, "degraded_performance": 2, "partial_outage": 3, "major_outage": 4}
Stage = Literal["working", "monitoring", "resolved", "postmortem"]
_STEPS: dict[tuple[Stage, Stage], tuple[Step, ...]] = {
    ("working", "monitoring"): ("contained",),
    ("working", "resolved"): ("resolved",),
    # A postmortem of what nobody called resolved says that as well.
    ("working", "postmortem"): ("resolved", "closed"),
    ("monitoring", "working"): ("regressed",),
    ("monitoring", "resolved"): ("resolved",),
    ("monitoring", "postmortem"): ("resolved", "closed"),
    ("resolved", "working"): ("reopened",),
    ("resolved", "monitoring"): ("reopened", "contained"),
    ("resolved", "postmortem"): ("closed",),
    ("postmortem", "working"): ("reopened",),
    ("postmortem", "monitoring"): ("reopened", "contained"),
}
"""What an update of one status says after one of another; nothing where there is no entry."""


class _Component(msgspec.Struct):
    name: str
    new_status: str


class _Update(msgspec.Struct):
    id: str
    status: str
    created_at: _Moment
    updated_at: _Moment
    body: str | None = None
    display_at: _Moment | None = None
    affected_components: list[_Component] | None = None

    @property
    def at(self) -> datetime:
        """When it was published."""
        return self.display_at or self.created_at


class _Incident(msgspec.Struct):
    id: str
    name: str
    status: str
    impact: str
    created_at: _Moment
    incident_updates: list[_Update]
    shortlink: str | None = None


class _Page(msgspec.Struct):
    id: str
    updated_at: _Moment


class _Document(msgspec.Struct):
    page: _Page
    incidents: list[_Incident]


_DOCUMENT = msgspec.json.Decoder(_Document)


def read_document(document: bytes) -> Iterator[Snapshot]:
    """The incidents of a document, each as the page knew it.

    Raises:
        msgspec.DecodeError: it is not such a document.
    """
    found = _DOCUMENT.decode(document)
    for incident in found.incidents:
        updates = sorted(incident.incident_updates, key=lambda update: update.at)
        yield Snapshot(
            system=SYSTEM,
            id=incident.id,
            # Of an edit that the page's own time does not show yet, at least its own time is known.
            known_at=max(found.page.updated_at, *(update.updated_at for update in updates)),
            title=incident.name,
            severity=_SEVERITY.get(incident.impact, "sev3"),
            milestones=tuple(_milestones(incident, updates)),
            impact=tuple(_impact(updates)),
            updates=tuple(_published(updates)),
            url=incident.shortlink or "",
            tags=(incident.impact,),
            extra={"page_id": found.page.id, "status": incident.status},
        )


def _milestones(incident: _Incident, updates: Sequence[_Update]) -> Iterator[Reached]:
    yield Reached(milestone="declared", at=updates[0].at if updates else incident.created_at)
    stage: Stage = "working"
    for update in updates:
        next_stage = _stage_of(update.status)
        steps = _STEPS.get((stage, next_stage), ())
        for step in steps:
            yield Reached(milestone=step, at=update.at)
        stage = next_stage if steps else stage


def _stage_of(status: str) -> Stage:
    match status:
        case "monitoring" | "resolved" | "postmortem":
            return status
        case _:  # investigating, identified, and what a page may call it later
            return "working"


def _impact(updates: Sequence[_Update]) -> Iterator[Impact]:
    changes: dict[str, list[tuple[datetime, int]]] = {}
    for update in updates:
        for component in update.affected_components or ():
            level = _LEVEL.get(component.new_status, 1)
            told = changes.setdefault(component.name, [])
            if level != (told[-1][1] if told else 0):
                told.append((update.at, level))
    for name, told in changes.items():
        yield from _stretches(name, told)


def _stretches(scope: str, told: Sequence[tuple[datetime, int]]) -> Iterator[Impact]:
    open_since: tuple[datetime, int] | None = None
    later: list[LevelFrom] = []
    for at, level in told:
        if open_since is None:
            open_since, later = (at, level), []
        elif level == 0:
            yield Impact(scope=scope, level=open_since[1], start=open_since[0], end=at, changes=tuple(later))
            open_since = None
        else:
            later.append(LevelFrom(level=level, at=at))
    if open_since is not None:
        yield Impact(scope=scope, level=open_since[1], start=open_since[0], changes=tuple(later))


def _published(updates: Sequence[_Update]) -> Iterator[Update]:
    for update in updates:
        if update.body:
            edited_at = update.updated_at if update.updated_at > update.created_at else None
            yield Update(id=update.id, at=update.at, text=update.body, edited_at=edited_at)
