"""What a history says once its corrections are heard. Pure; the SQL of the projections follows the same rules.

* An event that was taken back is left out. What took it back cannot be taken back itself: the thing is said again.
* A time is what the last correction of it says, in log order; so are a severity and a determination.
* A correction that was taken back never was.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from events import Event, Fact
from events.incident import (
    Correction,
    Determination,
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    IncidentDeclared,
    IncidentOpened,
    IncidentSeverityChanged,
    Milestone,
    MilestoneCorrected,
    Severity,
    SeverityCorrected,
)


class Corrections(msgspec.Struct, frozen=True):
    """What is believed otherwise than it was first said, by the id of the event that said it."""

    retracted: frozenset[str] = frozenset()
    times: dict[tuple[str, Milestone], MilestoneCorrected] = {}
    """The last correction of each milestone that an event says."""
    severities: dict[str, Severity] = {}
    determinations: dict[str, Determination] = {}

    def believed(self, event: Event) -> Event | None:
        """An event as it is believed now; None when it was taken back."""
        if event.id in self.retracted:
            return None
        if not (self.times or self.severities or self.determinations):
            return event
        return self._at_its_time(replace(event, fact=self._in_its_words(event.id, event.fact)))

    def _at_its_time(self, event: Event) -> Event:
        for (event_id, milestone), correction in self.times.items():
            if event_id == event.id and not _is_signal_before_declaration(event.fact, milestone):
                event = replace(
                    event,
                    happened_at=correction.occurred_at,
                    happened_earliest=correction.occurred_earliest_at,
                    happened_latest=correction.occurred_latest_at,
                )
        return event

    def _in_its_words(self, event_id: str, fact: Fact) -> Fact:
        match fact:
            case IncidentDeclared():
                detected = self.times.get((event_id, "detected"))
                return replace(
                    fact,
                    severity=self.severities.get(event_id, fact.severity),
                    detected_at=detected.occurred_at if detected else fact.detected_at,
                )
            case IncidentOpened() | IncidentSeverityChanged():
                return replace(fact, severity=self.severities.get(event_id, fact.severity))
            case DeterminationSet():
                return replace(fact, determination=self.determinations.get(event_id, fact.determination))
            case _:
                return fact


NO_CORRECTIONS = Corrections()


def corrections_of(events: Iterable[Event]) -> Corrections:
    """What the events of an incident correct among each other."""
    said = [event for event in events if isinstance(event.fact, Correction)]
    if not said:
        return NO_CORRECTIONS
    retracted = frozenset(event.fact.event_id for event in said if isinstance(event.fact, EventRetracted))
    times: dict[tuple[str, Milestone], MilestoneCorrected] = {}
    severities: dict[str, Severity] = {}
    determinations: dict[str, Determination] = {}
    for event in said:
        if event.id in retracted:
            continue
        match event.fact:
            case MilestoneCorrected(replaces_event_id=replaced, milestone=milestone) if replaced:
                # Taken out first, so that the order is that of the last corrections.
                times.pop((replaced, milestone), None)
                times[replaced, milestone] = event.fact
            case SeverityCorrected(replaces_event_id=replaced, severity=severity):
                severities[replaced] = severity
            case DeterminationCorrected(replaces_event_id=replaced, determination=determination):
                determinations[replaced] = determination
            case _:
                pass
    return Corrections(retracted, times, severities, determinations)


def _is_signal_before_declaration(fact: Fact, milestone: Milestone) -> bool:
    """Whether a correction is of the signal that a declaration names, and not of the declaration's own time."""
    return milestone == "detected" and isinstance(fact, IncidentDeclared)
