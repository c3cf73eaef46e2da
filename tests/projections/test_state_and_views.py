"""The actors fold an incident in Python, the readers in SQL: whatever was said and corrected, both believe the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from events import Event, Recorded, Stored, encode
from events.incident import Milestone, Severity
from projections.warehouse import Warehouse
from services.command import CommandRefused
from services.incidents.circumstances import Circumstances
from services.incidents.commands import (
    Acknowledge,
    AssignRole,
    ChangeSeverity,
    Close,
    Contain,
    CorrectDetermination,
    CorrectMilestone,
    CorrectSeverity,
    Declare,
    Determine,
    Dismiss,
    Eradicate,
    IncidentCommand,
    Open,
    Regress,
    Reinstate,
    RelieveRole,
    Reopen,
    Resolve,
    Retract,
    SetImpact,
)
from services.incidents.decider import decide
from services.incidents.state import UNOPENED, Incident, fold
from tests.spec import ADA, BOB, empty_warehouse

BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
INCIDENTS = 25
ORDERS = 40


@pytest.mark.parametrize("seed", range(4))
def test_phase_times_and_people_agree_after_any_orders(seed: int):
    dice = random.Random(seed)
    log: list[Stored] = []
    folded = {f"INC-{number}": _live(dice, f"INC-{number}", log) for number in range(1, INCIDENTS + 1)}
    with empty_warehouse() as warehouse:
        warehouse.load(log)
        warehouse.rebuild()
        shown = _shown(warehouse)
    for incident_id, incident in folded.items():
        if incident is not UNOPENED:
            assert shown[incident_id] == _told(incident), f"seed {seed}, {incident_id}"


def test_the_dice_reach_every_correction():
    """Or the test above would prove little."""
    log: list[Stored] = []
    for number in range(INCIDENTS):
        _live(random.Random(number), f"INC-{number + 1}", log)
    types = {stored.subject.rpartition(".")[2] for stored in log}
    assert types >= {"milestone_corrected", "event_retracted", "severity_corrected", "determination_corrected"}
    phases = {stored.body for stored in log if b'"event_type":"incident.resolved"' in stored.body}
    assert phases, "no resolution was ever taken back"


def _live(dice: random.Random, incident_id: str, log: list[Stored]) -> Incident:
    """Ask an incident for one thing after another; whatever is not refused is in the log."""
    history: list[Recorded] = []
    now = BEGAN
    for number in range(ORDERS):
        now += timedelta(minutes=dice.randint(0, 30))
        incident = fold(past.event for past in history)
        command = _order(dice, now, [past.seq for past in history])
        about = Circumstances(
            incident_id=incident_id,
            actor=dice.choice((ADA, BOB)),
            happened_at=now - timedelta(minutes=dice.choice((0, 0, 0, 5, 40))),
            now=now,
            history=tuple(history),
            retracted=next(
                (past for past in history if isinstance(command, Retract) and past.seq == command.seq), None
            ),
        )
        try:
            facts = decide(incident, command, about)
        except CommandRefused:
            continue
        for place, fact in enumerate(facts):
            event = Event(
                id=f"{incident_id}-{number}-{place}",
                fact=fact,
                happened_at=about.happened_at,
                source="recount/test",
                actor=about.actor,
            )
            stream = f"incident.{incident_id}"
            subject, body = encode(stream, event)
            log.append(Stored(len(log) + 1, subject, now, body))
            history.append(Recorded(seq=len(log), stream=stream, recorded_at=now, event=event))
    return fold(past.event for past in history)


def _order(dice: random.Random, now: datetime, seqs: list[int]) -> IncidentCommand:
    seq = dice.choice(seqs) if seqs else 1
    which = dice.choice((0, 0, seq))
    person, severity = dice.choice((ADA, BOB)), dice.choice(get_args(Severity))
    determination = dice.choice(("confirmed", "suspected", "benign"))
    orders: tuple[IncidentCommand, ...] = (
        Open(title="slow", severity=severity),
        Declare(title="down", severity=severity),
        Acknowledge(),
        ChangeSeverity(severity=severity),
        SetImpact(scope=dice.choice(("checkout", "search")), level=dice.choice((0, 0, 1, 3))),
        Contain(),
        Eradicate(),
        Resolve(),
        Resolve(),
        Regress(reason="x"),
        Close(waiver="x"),
        Reopen(kind=dice.choice(("relapse", "mistaken")), reason="x"),
        Dismiss(reason="benign"),
        Reinstate(reason="x"),
        Determine(determination=determination),
        AssignRole(role="commander", person_id=person),
        RelieveRole(role="commander", person_id=person),
        CorrectSeverity(severity=severity, reason="x", seq=which),
        CorrectDetermination(determination=determination, reason="x", seq=which),
        *(
            CorrectMilestone(
                milestone=dice.choice(get_args(Milestone)),
                occurred_at=now - timedelta(minutes=dice.randint(0, 200)),
                reason="x",
                seq=which,
            )
            for _ in range(3)
        ),
        *(Retract(seq=seq, reason="x") for _ in range(3)),
    )
    return dice.choice(orders)


def _shown(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.ask(
        """
        select
            incident_id, phase, severity, determination, episode, commander, detected_at,
            -- What no longer holds, each keeps for as long as it needs it.
            case when phase in ('resolved', 'closed') then resolved_at end as resolved_at,
            case when phase = 'closed' then closed_at end as closed_at,
            acknowledged_by is not null as is_acknowledged,
            (
                select count(*) from impact_intervals as open
                where open.incident_id = incidents.incident_id and open.ended_at is null
            ) as open_impacts
        from incidents
        """
    ).dicts()
    return {row.pop("incident_id"): row for row in rows}


def _told(incident: Incident) -> dict[str, Any]:
    def naive(moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=None) if moment else None

    return {
        "phase": incident.phase,
        "severity": incident.severity,
        "determination": incident.determination,
        "episode": incident.episode,
        "commander": incident.commander or None,
        "detected_at": naive(incident.detected_at),
        "resolved_at": naive(incident.resolved_at) if incident.phase in ("resolved", "closed") else None,
        "closed_at": naive(incident.closed_at) if incident.phase == "closed" else None,
        "is_acknowledged": bool(incident.acknowledged),
        "open_impacts": len(incident.impact),
    }
