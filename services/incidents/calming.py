"""Resolve an incident by rule: when every alert of it has been clear for as long as its route says."""

from datetime import datetime, timedelta

from events import Event, EventLog, Write
from events.alert import AlertAcknowledged, AlertCleared, AlertClearedUnseen, AlertFired, AlertUpdated
from events.fact import tag_of
from events.ids import derived_event_id
from events.subjects import split, stream_of
from events.timer import TimerFired
from events.timers import Timer, Timers
from services.command import CommandRefused
from services.incidents.circumstances import Circumstances
from services.incidents.commands import Resolve
from services.incidents.decider import decide
from services.incidents.histories import Histories
from services.incidents.saying import ACTOR, SOURCE
from services.rules.durations import duration_text

CALM_PURPOSE = "incident_calm"


def calm_timer(incident_id: str, after: timedelta, due_at: datetime) -> Timer:
    """Tells when the alerts of an incident may have been clear for so long."""
    return Timer(
        id=f"calm-{incident_id}",
        due_at=due_at,
        purpose=CALM_PURPOSE,
        about=stream_of("incident", incident_id),
        token=f"{after.total_seconds():g}",
        correlation_id=incident_id,
    )


class Calming:
    """Looks at incidents whose alerts have cleared.

    Args:
        log: the facts.
        histories: loads incidents.
        timers: tell when to look again.
    """

    def __init__(self, log: EventLog, histories: Histories, timers: Timers) -> None:
        self._log = log
        self._histories = histories
        self._timers = timers

    async def look(self, timer: TimerFired, now: datetime) -> tuple[tuple[Write, ...], None]:
        """Resolve the incident of a timer, if its alerts have been clear for long enough by now. Its version is that
        of before they were read: one that fires again joins it, so that the append is refused."""
        incident_id, after = split(timer.about)[1], timedelta(seconds=float(timer.token))
        loaded = await self._histories.root(incident_id)
        incident = loaded.incident
        if not incident.is_open or not incident.alerts:
            return (), None
        cleared = [await self._clear_since(alert_key) for alert_key in incident.alerts]
        if any(moment is None for moment in cleared):
            return (), None  # its clearing sets the timer anew
        calm_at = max(moment for moment in cleared if moment is not None) + after
        if calm_at > now:
            await self._timers.set(calm_timer(loaded.incident_id, after, calm_at))
            return (), None
        about = Circumstances(incident_id=loaded.incident_id, actor=ACTOR, happened_at=now, now=now)
        number = len(incident.alerts)
        alerts = "its alert has" if number == 1 else f"its {number} alerts have"
        try:
            summary = f"{alerts} been clear for {duration_text(after)}, as its route says"
            facts = decide(incident, Resolve(summary=summary), about)
        except CommandRefused:
            return (), None  # an open impact, or a profile that asks for more: that is for people to say
        events = tuple(
            Event(
                id=derived_event_id(loaded.stream, str(loaded.version), tag_of(type(fact)), "calm"),
                fact=fact,
                happened_at=now,
                source=SOURCE,
                actor=ACTOR,
                correlation_id=loaded.incident_id,
            )
            for fact in facts
        )
        return (Write(loaded.stream, loaded.version, events),) if events else (), None

    async def _clear_since(self, alert_key: str) -> datetime | None:
        """When the log heard that an alert had cleared; None when it fires."""
        stream = stream_of("alert", alert_key)
        last = await self._log.last(stream)
        if last is not None and isinstance(last.fact, AlertCleared | AlertClearedUnseen):
            return last.recorded_at
        if last is not None and isinstance(last.fact, AlertFired | AlertUpdated | AlertAcknowledged):
            return None
        for past in reversed(await self._log.read(stream)):
            if isinstance(past.fact, AlertCleared | AlertClearedUnseen):
                return past.recorded_at
            if isinstance(past.fact, AlertFired):
                return None
        return None
