"""Corrections: what was said of an incident and was not so. Pure; the facts name what they replace, and why.

A severity that rose or a determination that was settled later are no corrections: those are changes, and have commands
of their own.
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from events import Event, Fact
from events.incident import (
    Determination,
    DeterminationCorrected,
    DeterminationSet,
    IncidentDeclared,
    IncidentFact,
    IncidentOpened,
    IncidentSeverityChanged,
    SeverityCorrected,
)
from services.corrections import corrections_of
from services.incidents.circumstances import Circumstances, wrong_phase
from services.incidents.commands import (
    CorrectDetermination,
    CorrectionCommand,
    CorrectMilestone,
    CorrectSeverity,
    Retract,
)
from services.incidents.consistency import contradictions
from services.incidents.lifecycle import NO_INCIDENT, determine_late
from services.incidents.milestones import correct_milestone
from services.incidents.retracting import retract
from services.incidents.state import Incident


def correct(incident: Incident, command: CorrectionCommand, about: Circumstances) -> tuple[IncidentFact, ...]:
    """The facts of a correction; none when it is believed so already.

    Raises:
        CommandRefused: there is nothing to correct, or it cannot have been so.
    """
    asked = "correct"
    if incident.phase == "unopened":
        raise wrong_phase(incident, asked, about)
    match command:
        case CorrectMilestone():
            corrected = correct_milestone(incident, command, about)
            _require_consistent(corrected, f"correct when {command.milestone.replace('_', ' ')} was reached in", about)
            return corrected
        case Retract():
            return retract(incident, command, about)
        case CorrectSeverity():
            return _severity(command, about)
        case CorrectDetermination():
            return _determination(incident, command, about)
        case _:
            assert_never(command)


def _require_consistent(facts: Sequence[IncidentFact], asked: str, about: Circumstances) -> None:
    events = [past.event for past in about.history]
    before = contradictions(events, about)
    for contradiction in contradictions([*events, *map(about.said, facts)], about):
        if contradiction not in before:
            raise about.refused(
                asked,
                because=contradiction,
                instead="correct the other one first, or give another time",
                code="invalid",
            )


class _Saying(msgspec.Struct, frozen=True):
    seq: int
    event: Event
    """As it is believed now."""


def _severity(command: CorrectSeverity, about: Circumstances) -> tuple[IncidentFact, ...]:
    saying = _the_one("severity", (IncidentOpened, IncidentDeclared, IncidentSeverityChanged), command.seq, about)
    fact = saying.event.fact
    assert isinstance(fact, IncidentOpened | IncidentDeclared | IncidentSeverityChanged)
    if fact.severity == command.severity:
        return ()
    return (
        SeverityCorrected(
            severity=command.severity,
            previous=fact.severity,
            replaces_event_id=saying.event.id,
            replaces_seq=saying.seq,
            reason=command.reason,
        ),
    )


def _determination(incident: Incident, command: CorrectDetermination, about: Circumstances) -> tuple[IncidentFact, ...]:
    saying = _the_one("determination", (DeterminationSet,), command.seq, about)
    fact = saying.event.fact
    assert isinstance(fact, DeterminationSet)
    determination = command.determination
    if fact.determination == determination:
        return ()
    is_the_present = saying.seq == _sayings((DeterminationSet,), about)[-1].seq
    if is_the_present and incident.phase == "dismissed" and determination not in NO_INCIDENT:
        raise about.refused(
            "correct the determination of",
            because=f"it is dismissed, and {_words(determination)} would make it an incident",
            instead="reinstate it first",
        )
    corrected = DeterminationCorrected(
        determination=determination,
        replaces_event_id=saying.event.id,
        replaces_seq=saying.seq,
        reason=command.reason,
    )
    if not is_the_present:
        return (corrected,)
    return corrected, *determine_late(incident, determination, command.reason)


def _the_one(what: str, kinds: tuple[type[Fact], ...], seq: int, about: Circumstances) -> _Saying:
    """The event that said it: at a position, or the last."""
    said = _sayings(kinds, about)
    named = [saying for saying in said if seq in (0, saying.seq)]
    if named:
        return named[-1]
    positions = ", ".join(str(saying.seq) for saying in said)
    raise about.refused(
        f"correct the {what} of",
        because=f"position {seq} gives no {what}" if seq else f"no {what} was given",
        instead=f"these positions do: {positions}"
        if positions
        else f"give the {what} without saying that it was wrong",
        code="not_found" if seq else "not_allowed",
    )


def _sayings(kinds: tuple[type[Fact], ...], about: Circumstances) -> list[_Saying]:
    corrections = corrections_of(past.event for past in about.history)
    believed = ((past.seq, corrections.believed(past.event)) for past in about.history)
    return [_Saying(seq, event) for seq, event in believed if event and isinstance(event.fact, kinds)]


def _words(determination: Determination) -> str:
    return determination.replace("_", " ")
