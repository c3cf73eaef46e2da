"""What is held back, followed event by event, for the laws."""

from datetime import datetime

from events import Recorded
from events.alert import AlertCleared, AlertClearedUnseen, AlertFired, AlertHeld, AlertPassedOver
from events.incident import AlertLinked
from events.inhibition import InhibitionSourceCleared, InhibitionSourceFired
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from events.subjects import split

Firing = tuple[str, int]
"""Alert key and occurrence."""


class Quiet:
    """Which alerts fire and which are held back, by what."""

    def __init__(self) -> None:
        self.held: dict[Firing, AlertHeld] = {}
        """The last that was said of each."""
        self.linked: set[Firing] = set()
        self.passed_over: set[Firing] = set()
        self._firing: dict[str, int] = {}
        self._silent_until: dict[str, datetime] = {}
        self._sources: dict[tuple[str, str], datetime] = {}

    def follow(self, event: Recorded) -> None:
        """One more event."""
        identifier = split(event.stream)[1]
        match event.fact:
            case AlertFired(occurrence=occurrence):
                self._firing[identifier] = occurrence
            case AlertCleared() | AlertClearedUnseen():
                self._firing.pop(identifier, None)
            case AlertHeld(occurrence=occurrence) as held:
                self.held[identifier, occurrence] = held
            case AlertPassedOver(occurrence=occurrence):
                self.passed_over.add((identifier, occurrence))
            case AlertLinked(alert_key=alert_key, occurrence=occurrence):
                self.linked.add((alert_key, occurrence))
            case SilenceCreated(ends_at=ends_at) | SilenceChanged(ends_at=ends_at):
                self._silent_until[identifier] = ends_at
            case SilenceEnded():
                self._silent_until[identifier] = event.happened_at
            case InhibitionSourceFired(alert_key=alert_key):
                self._sources.setdefault((identifier, alert_key), event.recorded_at)
            case InhibitionSourceCleared(alert_key=alert_key):
                self._sources.pop((identifier, alert_key), None)

    def is_firing(self, firing: Firing) -> bool:
        """Whether this occurrence still fires."""
        alert_key, occurrence = firing
        return self._firing.get(alert_key) == occurrence

    def is_held(self, firing: Firing, moment: datetime) -> bool:
        """Whether what holds it back holds at a moment."""
        held = self.held[firing]
        if held.because == "silenced":
            return moment < self._silent_until[held.held_by]
        if held.because == "inhibited":
            return bool(self._inhibited_since(held)) and held.holder_alert_key in self._firing
        return held.until_at is None or moment < held.until_at

    def is_held_anew(self, firing: Firing, moment: datetime) -> bool:
        """Whether what holds it back was over and began again in this moment or later: whoever decides in that moment
        may not have heard of it, because joining an incident checks the incident alone."""
        return any(began >= moment for began in self._inhibited_since(self.held[firing]))

    def _inhibited_since(self, held: AlertHeld) -> list[datetime]:
        return [since for (_key, source), since in self._sources.items() if source == held.holder_alert_key]
