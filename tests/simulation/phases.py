"""The phase of every incident, followed event by event, for the laws."""

from events import Recorded
from events.fact import tag_of
from events.incident import EventRetracted, IncidentMerged
from events.subjects import split

OPEN = {"triage", "active", "contained", "eradicated"}
# From which phases each fact may come, and where it leads; None: back to where the merge began.
EDGES: dict[str, tuple[set[str], str | None]] = {
    "incident.opened": ({"unopened"}, "triage"),
    "incident.declared": ({"unopened", "triage"}, "active"),
    "incident.contained": ({"active"}, "contained"),
    "incident.eradicated": ({"active", "contained"}, "eradicated"),
    "incident.resolved": (OPEN, "resolved"),
    "incident.regressed": ({"contained", "eradicated"}, "active"),
    "incident.closed": ({"resolved"}, "closed"),
    "incident.reopened": ({"resolved", "closed"}, "active"),
    "incident.dismissed": ({"triage", "active", "contained", "resolved", "closed"}, "dismissed"),
    "incident.reinstated": ({"dismissed"}, "triage"),
    "incident.merged": (OPEN | {"resolved", "closed", "dismissed"}, "merged"),
    "incident.unmerged": ({"merged"}, None),
}


class Phases:
    """The phase of every incident, followed event by event."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._before_merge: dict[str, str] = {}
        self._merged_into: dict[str, str] = {}

    def of(self, incident_id: str) -> str:
        return self._now.get(incident_id, "unopened")

    def root(self, incident_id: str) -> str:
        while self.of(incident_id) == "merged":
            incident_id = self._merged_into[incident_id]
        return incident_id

    def follow(self, event: Recorded) -> None:
        tag = tag_of(type(event.fact))
        _category, incident_id = split(event.stream)
        if isinstance(event.fact, EventRetracted) and event.fact.phase:
            # Taking a step back carries where the incident is without it.
            self._now[incident_id] = event.fact.phase
        if tag not in EDGES:
            return
        before, (allowed, reached) = self.of(incident_id), EDGES[tag]
        assert before in allowed, f"{incident_id} at position {event.seq}: {tag} while {before}"
        if isinstance(event.fact, IncidentMerged):
            self._before_merge[incident_id] = before
            self._merged_into[incident_id] = event.fact.into_incident_id
        self._now[incident_id] = reached or self._before_merge[incident_id]
