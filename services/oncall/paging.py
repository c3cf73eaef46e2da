"""Carries escalations out: loads an incident and its escalation, takes the next steps, and appends them at once."""

import asyncio
from contextlib import suppress
from datetime import datetime

from events import Event, EventLog, Fact, Recorded, Write
from events.errors import LogUnavailable
from events.escalation import EscalationExhausted, EscalationFact, EscalationStopped, LevelReached
from events.fact import tag_of
from events.ids import derived_event_id, is_id
from events.incident import IncidentAcknowledged, Severity
from events.oncall import PolicyConfigured
from events.page import PageAnswered, PageRequested, PageWithheld
from events.subjects import split, stream_of
from events.timers import Timer, Timers
from services.attention import Attention, attention_of
from services.decision import decide_and_append
from services.directory import Directory
from services.oncall.duty import Duty
from services.oncall.escalation import (
    DEFAULT_POLICY,
    Ask,
    Asked,
    Begin,
    Escalation,
    Exhaust,
    Step,
    Stop,
    escalation_of,
    next_at,
    next_steps,
    pages,
    wakes_at,
)

SOURCE = "recount/oncall"
ESCALATION_PURPOSE = "escalation"


class Paging:
    """Starts, climbs and stops escalations.

    Args:
        log: the facts.
        timers: tell when the next level is due.
        directory: says who can be reached.
        duty: says who is on call.
        threshold: incidents at least this severe are paged for.
    """

    def __init__(self, log: EventLog, timers: Timers, directory: Directory, duty: Duty, threshold: Severity) -> None:
        self._log = log
        self._timers = timers
        self._directory = directory
        self._duty = duty
        self._threshold = threshold

    async def look_at(self, incident_id: str, *, cause: Recorded, now: datetime) -> None:
        """Take the steps that are due for one incident. Costs two short reads when none is."""

        async def attempt() -> tuple[tuple[Write, ...], tuple[Step, ...]]:
            escalation, attention, steps = await self._due(incident_id, now)
            return await self._writes(incident_id, escalation, attention, steps, cause, now), steps

        _seq, steps = await decide_and_append(self._log, attempt)
        for step in steps:
            if isinstance(step, Stop):
                # Sparing an event in the log is all that this does: a timer that fires now finds nothing to do.
                with suppress(LogUnavailable):
                    await self._cancel_timer(incident_id, step)

    async def keep_awake(self, incident_id: str, now: datetime) -> None:
        """Set the timer of a running escalation again, when it fired before its time: clocks differ."""
        escalation = escalation_of(await self._log.read(stream_of("escalation", incident_id)))
        if due_at := wakes_at(escalation, now):
            await self._set_timer(incident_id, escalation.run, escalation.round, escalation.level + 1, due_at)

    async def answered(self, incident_id: str, acknowledgement: Recorded) -> None:
        """Record on a page that it was answered, when the acknowledgement came from one."""
        fact = acknowledgement.fact
        if not isinstance(fact, IncidentAcknowledged) or not is_id(fact.page_id):
            return
        stream = stream_of("page", fact.page_id)

        async def attempt() -> tuple[tuple[Write, ...], None]:
            history = await self._log.read(stream)
            asked = any(isinstance(r.fact, PageRequested) and r.fact.incident_id == incident_id for r in history)
            if not asked or any(isinstance(r.fact, PageAnswered) for r in history):
                return (), None
            event = Event(
                id=derived_event_id(acknowledgement.event.id, "page.answered"),
                fact=PageAnswered(answer="link"),
                happened_at=acknowledgement.happened_at,
                source=SOURCE,
                actor=acknowledgement.event.actor,
                auth_id=acknowledgement.event.auth_id,
                causation_id=acknowledgement.event.id,
                correlation_id=incident_id,
            )
            return (Write(stream, history[-1].seq, (event,)),), None

        await decide_and_append(self._log, attempt)

    async def _due(self, incident_id: str, now: datetime) -> tuple[Escalation, Attention, tuple[Step, ...]]:
        history, incident = await asyncio.gather(
            self._log.read(stream_of("escalation", incident_id)), self._log.read(stream_of("incident", incident_id))
        )
        escalation, attention = escalation_of(history), attention_of(incident)
        policy_id, policy = DEFAULT_POLICY, None
        if attention.calling and escalation.started_seq < attention.call_seq:
            policy_id, policy = await self._policy(attention.policy)
        return (
            escalation,
            attention,
            next_steps(escalation, attention, policy, threshold=self._threshold, now=now, policy_id=policy_id),
        )

    async def _policy(self, wanted: str) -> tuple[str, PolicyConfigured | None]:
        """The policy that an incident asks for. One that is not configured must not leave it without anybody."""
        for policy_id in dict.fromkeys(each for each in (wanted, DEFAULT_POLICY) if is_id(each)):
            history = await self._log.read(stream_of("policy", policy_id))
            policy = next((r.fact for r in reversed(history) if isinstance(r.fact, PolicyConfigured)), None)
            if policy is not None:
                return policy_id, policy
        return DEFAULT_POLICY, None

    async def _writes(
        self,
        incident_id: str,
        escalation: Escalation,
        attention: Attention,
        steps: tuple[Step, ...],
        cause: Recorded,
        now: datetime,
    ) -> tuple[Write, ...]:
        if not steps:
            return ()
        climbed: list[EscalationFact] = []
        asked: dict[str, PageRequested | PageWithheld] = {}
        for step in steps:
            match step:
                case Begin(started=started):
                    climbed.append(started)
                case Stop(run=run, reason=reason):
                    climbed.append(EscalationStopped(run=run, reason=reason))
                case Exhaust(run=run, because=""):
                    climbed.append(EscalationExhausted(run=run))
                case Exhaust(run=run, because=because):
                    climbed.append(EscalationExhausted(run=run, because=f"nobody is paged: {because}"))
                    asked |= _nobody_to_ask(incident_id, run, because)
                case Ask() as ask:
                    asked = pages(ask, incident_id, [await self._behind(target, now) for target in ask.targets])
                    climbed.append(await self._reached(incident_id, ask, asked, now))
        return _as_writes(incident_id, escalation, attention, climbed, asked, cause, now)

    async def _reached(
        self, incident_id: str, ask: Ask, asked: dict[str, PageRequested | PageWithheld], now: datetime
    ) -> LevelReached:
        anybody = any(isinstance(page, PageRequested) for page in asked.values())
        due_at = next_at(ask, now, anybody=anybody)
        # Before the append: a timer too many is harmless, one too few forgets the incident.
        await self._set_timer(incident_id, ask.run, ask.round, ask.level + 1, due_at)
        return LevelReached(run=ask.run, round=ask.round, level=ask.level, page_ids=tuple(asked), next_at=due_at)

    async def _behind(self, target: str, now: datetime) -> Asked:
        kind, identifier = split(target)
        person_id = identifier
        if kind == "rotation":
            shift = await self._duty.on_call(identifier, now)
            if shift is None:
                return Asked(target=target, unreachable=f"nobody is on call in {identifier}")
            person_id = shift.person_id
        person = await self._directory.look_up(person_id)
        unreachable = ""
        if person is None:
            unreachable = "there is no such person"
        elif person.erased:
            unreachable = "the person was erased"
        elif person.details is None:
            unreachable = "the key of the person is not on this machine"
        elif not person.details.contacts:
            unreachable = "the person has no contact"
        return Asked(target=target, person_id=person_id, unreachable=unreachable)

    async def _set_timer(self, incident_id: str, run: int, round_number: int, level: int, due_at: datetime) -> None:
        await self._timers.set(
            Timer(
                id=_timer_id(incident_id, run, round_number, level),
                due_at=due_at,
                purpose=ESCALATION_PURPOSE,
                about=stream_of("escalation", incident_id),
                token=f"run={run} round={round_number} level={level}",
                correlation_id=incident_id,
            )
        )

    async def _cancel_timer(self, incident_id: str, stop: Stop) -> None:
        history = await self._log.read(stream_of("escalation", incident_id))
        reached = [r.fact for r in history if isinstance(r.fact, LevelReached) and r.fact.run == stop.run]
        if reached:
            last = reached[-1]
            await self._timers.cancel(_timer_id(incident_id, stop.run, last.round, last.level + 1))


def _as_writes(
    incident_id: str,
    escalation: Escalation,
    attention: Attention,
    climbed: list[EscalationFact],
    asked: dict[str, PageRequested | PageWithheld],
    cause: Recorded,
    now: datetime,
) -> tuple[Write, ...]:
    def event(about: str, fact: Fact) -> Event:
        return Event(
            id=derived_event_id(about, tag_of(type(fact))),
            fact=fact,
            happened_at=now,
            source=SOURCE,
            causation_id=cause.event.id,
            correlation_id=incident_id,
        )

    stream = stream_of("escalation", incident_id)
    writes = [Write(stream, escalation.version, tuple(event(_place(stream, fact), fact) for fact in climbed))]
    for page_id, fact in asked.items():
        page = stream_of("page", page_id)
        # The first page carries the incident's version, so that the whole append loses against an acknowledgement.
        first = len(writes) == 1
        after, rests_on = (attention.version, stream_of("incident", incident_id)) if first else (0, "")
        writes.append(Write(page, after, (event(page, fact),), rests_on=rests_on))
    return tuple(writes)


def _place(stream: str, fact: EscalationFact) -> str:
    """Where in an escalation a fact belongs: there is only one of it."""
    if isinstance(fact, LevelReached):
        return f"{stream} {fact.run} {fact.round} {fact.level}"
    return f"{stream} {fact.run}"


def _nobody_to_ask(incident_id: str, run: int, because: str) -> dict[str, PageRequested | PageWithheld]:
    nobody = Asked(target=f"policy.{DEFAULT_POLICY}", unreachable=because)
    return pages(Ask(run=run, round=0, level=0, targets=(nobody.target,), answer_within_s=0), incident_id, [nobody])


def _timer_id(incident_id: str, run: int, round_number: int, level: int) -> str:
    return f"esc-{incident_id}-{run}-{round_number}-{level}"
