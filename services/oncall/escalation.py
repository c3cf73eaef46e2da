"""Climbing a policy: which level is asked next, and when. Pure: state is folded from the escalation's own facts.

A *run* climbs the levels of one policy, as it was when the run began, round after round. A run belongs to one call of
its incident (`services.attention`): when the incident stops calling the run stops, and the next call starts a new one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, assert_never, get_args

import msgspec

from events import Recorded
from events.escalation import (
    EscalationExhausted,
    EscalationFact,
    EscalationStarted,
    EscalationStopped,
    Level,
    LevelReached,
)
from events.ids import key_of
from events.incident import Severity
from events.oncall import PolicyConfigured
from events.page import PageRequested, PageWithheld
from services.attention import Attention, Ending, at_least_as_severe

DEFAULT_POLICY = "default"
"""The policy that serves every incident whose declaration names no other, or one that is not configured."""


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of one incident; the defaults are an incident that never had one."""

    version: int = 0
    """Log position of the last fact of the stream."""
    status: Literal["none", "running", "stopped", "exhausted"] = "none"
    run: int = 0
    started_seq: int = 0
    """Log position at which the run began."""
    levels: tuple[Level, ...] = ()
    repeat: int = 0
    round: int = 0
    level: int = 0
    """The last that was asked; 0 before the first."""
    next_at: datetime | None = None
    """When the next is asked; None before the first."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A level must be asked now."""

    run: int
    round: int
    level: int
    """From 1."""
    targets: tuple[str, ...]
    answer_within_s: int


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind one target of a level."""

    target: str
    person_id: str = ""
    """Empty when there is nobody."""
    unreachable: str = ""
    """Why this target reaches nobody; empty when it does."""


class Stop(msgspec.Struct, frozen=True):
    """The run is over because somebody answered, or nobody is needed."""

    run: int
    reason: Ending


class Exhaust(msgspec.Struct, frozen=True):
    """The run is over because there is nobody left to ask."""

    run: int
    because: str = ""
    """Why nobody was asked at all; empty when all were."""


class Begin(msgspec.Struct, frozen=True):
    """A run starts: its first fact."""

    started: EscalationStarted


Step = Ask | Stop | Exhaust | Begin


def escalation_of(history: Iterable[Recorded]) -> Escalation:
    """Fold the facts of one escalation stream."""
    escalation = Escalation()
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, _FACTS):
            escalation = evolve(escalation, fact, seq=recorded.seq)
    return escalation


def evolve(escalation: Escalation, fact: EscalationFact, *, seq: int) -> Escalation:
    """What one fact changes."""
    match fact:
        case EscalationStarted():
            return Escalation(
                version=seq,
                status="running",
                run=fact.run,
                started_seq=seq,
                levels=fact.levels,
                repeat=fact.repeat,
            )
        case LevelReached():
            return msgspec.structs.replace(
                escalation, version=seq, round=fact.round, level=fact.level, next_at=fact.next_at
            )
        case EscalationStopped():
            return msgspec.structs.replace(escalation, version=seq, status="stopped")
        case EscalationExhausted() if fact.run > escalation.run:
            # A run that found nobody to ask has only this fact.
            return Escalation(version=seq, status="exhausted", run=fact.run, started_seq=seq)
        case EscalationExhausted():
            return msgspec.structs.replace(escalation, version=seq, status="exhausted")
        case _:
            assert_never(fact)


def next_steps(
    escalation: Escalation,
    attention: Attention,
    policy: PolicyConfigured | None,
    *,
    threshold: Severity,
    now: datetime,
    policy_id: str = DEFAULT_POLICY,
) -> tuple[Step, ...]:
    """What must be said now, in order; nothing when all is said.

    Args:
        escalation: the newest run.
        attention: the incident.
        policy: for a run that starts now; a run that has begun keeps its own. None: none is configured.
        threshold: incidents at least this severe start a run. One that has begun goes on when severity falls.
        now: the present moment.
        policy_id: the id of the policy.
    """
    steps: list[Step] = []
    running = escalation.status == "running"
    # A run that began before the present call belongs to an earlier one whose end was not heard of in time.
    outlived = escalation.started_seq < attention.call_seq
    if running and (outlived or attention.silent_because):
        steps.append(Stop(escalation.run, attention.silent_because or attention.last_ending or "resolved"))
        running = False
    if running:
        if escalation.next_at is None or now >= escalation.next_at:
            steps.append(_following(escalation))
    elif attention.calling and outlived and _may_begin(attention, threshold):
        steps += _first_steps(escalation.run + 1, policy, policy_id)
    return tuple(steps)


def wakes_at(escalation: Escalation, now: datetime) -> datetime | None:
    """When a running escalation must be looked at next; None when its time has come, or it is over."""
    if escalation.status != "running" or escalation.next_at is None or now >= escalation.next_at:
        return None
    return escalation.next_at


def pages(ask: Ask, incident_id: str, asked: Sequence[Asked]) -> dict[str, PageRequested | PageWithheld]:
    """The pages of a level by page id: one for each person, however many targets lead to them, and one that says so
    for each target that leads to nobody."""
    found: dict[str, PageRequested | PageWithheld] = {}
    for one in asked:
        found.setdefault(page_id_of(incident_id, ask, one.person_id or one.target), _page(ask, incident_id, one))
    return found


def page_id_of(incident_id: str, ask: Ask, whom: str) -> str:
    """The id of a page: the same person at the same level of the same run is always the same page."""
    return f"pg-{key_of(incident_id, str(ask.run), str(ask.round), str(ask.level), whom)}"


def next_at(ask: Ask, now: datetime, *, anybody: bool) -> datetime:
    """When the following level is asked. A level that reaches nobody is not waited for."""
    return now + timedelta(seconds=ask.answer_within_s) if anybody else now


def _may_begin(attention: Attention, threshold: Severity) -> bool:
    return not attention.acted_on and at_least_as_severe(attention.severity, threshold)


def _page(ask: Ask, incident_id: str, asked: Asked) -> PageRequested | PageWithheld:
    if asked.unreachable:
        return PageWithheld(
            incident_id=incident_id,
            reason=asked.unreachable,
            person_id=asked.person_id,
            target=asked.target,
            run=ask.run,
            level=ask.level,
        )
    return PageRequested(
        incident_id=incident_id,
        person_id=asked.person_id,
        run=ask.run,
        round=ask.round,
        level=ask.level,
        answer_within_s=ask.answer_within_s,
        target=asked.target,
    )


def _first_steps(run: int, policy: PolicyConfigured | None, policy_id: str) -> list[Step]:
    # That nobody can be asked is recorded, too: somebody will ask why nobody was paged.
    if policy is None:
        return [Exhaust(run, because=f"no policy {policy_id!r} is configured")]
    if not policy.levels:
        return [Exhaust(run, because=f"the policy {policy_id!r} has no level")]
    started = EscalationStarted(run=run, policy_id=policy_id, levels=policy.levels, repeat=policy.repeat)
    return [Begin(started), _ask(started.levels, run, 0, 1)]


def _following(escalation: Escalation) -> Step:
    if escalation.level < len(escalation.levels):
        return _ask(escalation.levels, escalation.run, escalation.round, escalation.level + 1)
    if escalation.round < escalation.repeat and escalation.levels:
        return _ask(escalation.levels, escalation.run, escalation.round + 1, 1)
    return Exhaust(escalation.run)


def _ask(levels: tuple[Level, ...], run: int, round_number: int, level: int) -> Ask:
    asked = levels[level - 1]
    return Ask(run=run, round=round_number, level=level, targets=asked.targets, answer_within_s=asked.answer_within_s)


_FACTS = get_args(EscalationFact)
