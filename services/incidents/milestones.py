"""When a milestone was reached, corrected: which event says so, and what is said instead. Pure.

A correction names the event whose time was wrong. Detection and the start of impact are the earliest that any event
says, and mitigation is the last end of impact; so a correction that moves them past others corrects those as well.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from events import Event, Fact, Recorded
from events.cause import CauseIdentified
from events.incident import (
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentEradicated,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    Milestone,
    MilestoneCorrected,
)
from events.page import PageSent
from services.corrections import corrections_of
from services.incidents.circumstances import SKEW_MAX, Circumstances
from services.incidents.commands import CorrectMilestone
from services.incidents.state import Incident, Phase

SAID_BY: dict[Milestone, tuple[type[Fact], ...]] = {
    "impact_started": (ImpactStarted,),
    "detected": (IncidentOpened, IncidentDeclared),
    "notified": (PageSent,),
    "acknowledged": (IncidentAcknowledged,),
    "declared": (IncidentDeclared,),
    "identified": (CauseIdentified,),
    "contained": (IncidentContained,),
    "mitigated": (ImpactEnded,),
    "eradicated": (IncidentEradicated,),
    "resolved": (IncidentResolved,),
    "closed": (IncidentClosed,),
    "reopened": (IncidentReopened,),
}
"""The facts whose time a milestone is."""

# Milestones that may have been reached without any event saying so, and from which phase on that can be told.
_ONCE_OVER: frozenset[Phase] = frozenset({"resolved", "closed", "merged"})
_UNSAID: dict[Milestone, frozenset[Phase] | None] = {
    "impact_started": None,
    "notified": None,
    "acknowledged": None,
    "mitigated": None,
    "identified": None,
    "contained": _ONCE_OVER | {"eradicated"},
    "eradicated": _ONCE_OVER,
}


class Saying(msgspec.Struct, frozen=True):
    """An event that says when a milestone was reached, as is believed now."""

    event_id: str
    seq: int
    at: datetime
    earliest: datetime | None
    latest: datetime | None


def sayings(milestone: Milestone, history: Sequence[Recorded], linked: Sequence[Recorded] = ()) -> list[Saying]:
    """The events that say when a milestone was reached, in log order, without those that were taken back.

    Args:
        milestone: which.
        history: the incident's own events, corrections among them.
        linked: events of its pages.
    """
    corrections = corrections_of(past.event for past in history)
    found = []
    for past in sorted((*history, *linked), key=lambda past: past.seq):
        believed = corrections.believed(past.event)
        if believed and isinstance(believed.fact, SAID_BY[milestone]):
            found.append(_saying(past.seq, milestone, believed))
    return found


def correct_milestone(
    incident: Incident, command: CorrectMilestone, about: Circumstances
) -> tuple[MilestoneCorrected, ...]:
    """The corrections that make a milestone lie at the given time; none when it does.

    Raises:
        CommandRefused: nothing says that it was reached, or the time cannot be.
    """
    _check_bounds(command, about)
    said = sayings(command.milestone, about.history, about.linked)
    if command.seq:
        named = [saying for saying in said if saying.seq == command.seq]
        if not named:
            raise _refused(
                command,
                about,
                because=f"position {command.seq} does not say when it was {_words(command.milestone)}",
                instead=_positions(said) or "leave the position out",
                code="not_found",
            )
        return _corrected(command, named)
    if not said:
        return _asserted(incident, command, about)
    return _corrected(command, _RESTS_ON.get(command.milestone, _the_last)(said, command.occurred_at, about))


def earlier_detection(history: Sequence[Recorded], signal_at: datetime, reason: str) -> MilestoneCorrected | None:
    """What a signal corrects that came before the detection; None when it did not, or when somebody has said already
    when the detection was."""
    said = sayings("detected", history)
    spoken_for = any(
        isinstance(past.fact, MilestoneCorrected) and past.fact.milestone == "detected" for past in history
    )
    earliest = min(said, key=lambda saying: (saying.at, saying.seq), default=None)
    if earliest is None or spoken_for or signal_at >= earliest.at:
        return None
    return MilestoneCorrected(
        milestone="detected",
        occurred_at=signal_at,
        reason=reason,
        replaces_event_id=earliest.event_id,
        replaces_seq=earliest.seq,
    )


def _corrected(command: CorrectMilestone, wrong: Iterable[Saying]) -> tuple[MilestoneCorrected, ...]:
    wanted = (command.occurred_at, command.earliest, command.latest)
    return tuple(
        _fact(command, saying.event_id, saying.seq)
        for saying in wrong
        if (saying.at, saying.earliest, saying.latest) != wanted
    )


def _asserted(incident: Incident, command: CorrectMilestone, about: Circumstances) -> tuple[MilestoneCorrected, ...]:
    milestone = command.milestone
    phases = _UNSAID.get(milestone, frozenset())
    if phases is not None and incident.phase not in phases:
        raise _refused(
            command,
            about,
            because=f"nothing says that it was {_words(milestone)}, and it is {incident.phase}",
            instead="say it first, with the time when it was so",
        )
    if milestone == "mitigated" and incident.impact:
        scopes = ", ".join(sorted(incident.impact))
        raise _refused(
            command, about, because=f"the impact on {scopes} has no end", instead="say when it ended (level 0)"
        )
    corrections = corrections_of(past.event for past in about.history)
    before = [
        past.fact
        for past in about.history
        if isinstance(past.fact, MilestoneCorrected)
        and (past.fact.milestone, past.fact.replaces_event_id) == (milestone, "")
        and past.event.id not in corrections.retracted
    ]
    wanted = (command.occurred_at, command.earliest, command.latest)
    if before and (before[-1].occurred_at, before[-1].occurred_earliest_at, before[-1].occurred_latest_at) == wanted:
        return ()
    return (_fact(command, "", 0),)


def _fact(command: CorrectMilestone, event_id: str, seq: int) -> MilestoneCorrected:
    return MilestoneCorrected(
        milestone=command.milestone,
        occurred_at=command.occurred_at,
        reason=command.reason,
        replaces_event_id=event_id,
        replaces_seq=seq,
        occurred_earliest_at=command.earliest,
        occurred_latest_at=command.latest,
        evidence=command.evidence,
    )


def _the_earliest(said: list[Saying], at: datetime, about: Circumstances) -> list[Saying]:
    earliest = min(said, key=lambda saying: (saying.at, saying.seq))
    return [saying for saying in said if saying.at < at] if at > earliest.at else [earliest]


def _the_last_end(said: list[Saying], at: datetime, about: Circumstances) -> list[Saying]:
    said = _in_this_episode(said, about)
    last = max(said, key=lambda saying: (saying.at, saying.seq))
    return [saying for saying in said if saying.at > at] if at < last.at else [last]


def _the_first(said: list[Saying], at: datetime, about: Circumstances) -> list[Saying]:
    return _in_this_episode(said, about)[:1]


def _the_last(said: list[Saying], at: datetime, about: Circumstances) -> list[Saying]:
    return said[-1:]


_RESTS_ON: dict[Milestone, Callable[[list[Saying], datetime, Circumstances], list[Saying]]] = {
    "impact_started": _the_earliest,
    "detected": _the_earliest,
    "notified": _the_earliest,
    "mitigated": _the_last_end,
    "acknowledged": _the_first,
}


def _in_this_episode(said: list[Saying], about: Circumstances) -> list[Saying]:
    """Those after the last reopening; all when there are none."""
    reopened = sayings("reopened", about.history)
    return [saying for saying in said if not reopened or saying.seq > reopened[-1].seq] or said


def _saying(seq: int, milestone: Milestone, event: Event) -> Saying:
    at, earliest, latest = event.happened_at, event.happened_earliest, event.happened_latest
    if milestone == "detected" and isinstance(event.fact, IncidentDeclared) and event.fact.detected_at:
        at, earliest, latest = event.fact.detected_at, None, None
    return Saying(event.id, seq, at, earliest, latest)


def _check_bounds(command: CorrectMilestone, about: Circumstances) -> None:
    at, earliest, latest = command.occurred_at, command.earliest or command.occurred_at, command.latest
    if at > about.now + SKEW_MAX:
        raise _refused(
            command,
            about,
            because=f"{about.clock_time(at)} has not come; now is {about.clock_time(about.now)}",
            instead="give a time that has passed",
            code="invalid",
        )
    if not earliest <= at <= (latest or at):
        bounds = " to ".join(about.clock_time(moment) for moment in (earliest, latest or at))
        raise _refused(
            command,
            about,
            because=f"{about.clock_time(at)} does not lie within {bounds}",
            instead="give the earliest and the latest time that it can have been, and one between them",
            code="invalid",
        )


def _refused(
    command: CorrectMilestone, about: Circumstances, *, because: str, instead: str, code: str = "not_allowed"
) -> Exception:
    asked = f"correct when {_words(command.milestone)} was reached in"
    return about.refused(asked, because=because, instead=instead, code=code)  # type: ignore[arg-type]


def _positions(said: Sequence[Saying]) -> str:
    return f"these positions do: {', '.join(str(saying.seq) for saying in said)}" if said else ""


def _words(milestone: Milestone) -> str:
    return milestone.replace("_", " ")
