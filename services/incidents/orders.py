"""Carry out one order: load what it rests on, decide, and say what to append."""

import re
from collections.abc import Sequence
from datetime import datetime

from events import NOTHING, Event, EventLog, Fact, Recorded, Write, headline
from events.fact import tag_of
from events.group import GroupAssigned
from events.ids import derived_event_id, key_of
from events.incident import IncidentFact
from events.order import OrderCarriedOut
from services.clock import Clock
from services.command import CommandRefused, Done, Order
from services.incidents.circumstances import Circumstances
from services.incidents.commands import Close, Declare, IncidentCommand, LinkAlert, Merge, Open, ReviewCommand
from services.incidents.decider import decide
from services.incidents.grouping import RULE, group_of_incident, known_alert
from services.incidents.histories import Histories, Loaded
from services.incidents.merging import counterpart
from services.incidents.placing import SOURCE, taking_its_group
from services.incidents.review import Review, decide_review, fold_review
from services.incidents.state import UNOPENED, fold

# An id is stored in every fact that it leads to; a UUID has 36 characters, and callers like a prefix.
ORDER_ID_CHARS_MAX = 200
# The answer is one sentence; a note may be many.
MESSAGE_CHARS_MAX = 300

_ACTOR = re.compile(r"((service|key):)?[A-Za-z0-9_-]{1,64}")
_TARGET = re.compile(r"(INC-[1-9][0-9]{0,15})?")

Decision = tuple[tuple[Write, ...], Done]


class Orders:
    """Decides about orders on what the log holds now."""

    def __init__(self, log: EventLog, histories: Histories, clock: Clock) -> None:
        self._log = log
        self._histories = histories
        self._clock = clock

    async def carry_out(self, order: Order, command: IncidentCommand | ReviewCommand) -> Decision:
        """What to append, and the answer once that is done (its ``seq`` is filled in then).

        Raises:
            CommandRefused: it cannot be done.
        """
        if isinstance(command, ReviewCommand):
            return await self._review(order, command)
        if isinstance(command, Open | Declare) and not order.target:
            return await self._begin(order, command)
        return await self._change(order, command)

    async def _change(self, order: Order, command: IncidentCommand) -> Decision:
        loaded = await self._existing(order)
        if order.id in loaded.incident.answered:
            return await self._answered(order, loaded.stream, loaded.incident_id)
        about = await self._circumstances(order, command, loaded.incident_id)
        facts = decide(loaded.incident, command, about)
        if not facts:
            return (), Done(target=loaded.incident_id, seq=NOTHING, message=f"{loaded.incident_id}: that holds already")
        return await self._said(order, loaded, facts, about)

    async def _begin(self, order: Order, command: Open | Declare) -> Decision:
        guard = f"order.{key_of(order.id)}"
        if earlier := await self._log.read(guard):
            made = earlier[-1].fact
            assert isinstance(made, OrderCarriedOut)
            return await self._answered(order, f"incident.{made.target}", made.target)
        new = Loaded(await self._histories.next_id(), NOTHING, UNOPENED)
        about = await self._circumstances(order, command, new.incident_id)
        writes, done = await self._said(order, new, decide(UNOPENED, command, about), about)
        carried_out = OrderCarriedOut(order_id=order.id, target=new.incident_id)
        events = _events(order, (carried_out,), about.happened_at, new.incident_id)
        return (Write(guard, NOTHING, events), *writes), done

    async def _said(
        self, order: Order, loaded: Loaded, facts: tuple[IncidentFact, ...], about: Circumstances
    ) -> Decision:
        events = _events(order, facts, about.happened_at, loaded.incident_id)
        writes = [Write(loaded.stream, loaded.version, events)]
        for fact in facts:
            if other := counterpart(loaded.incident_id, fact):
                other_id, its_fact = other
                its = await self._histories.incident(other_id)
                writes.append(Write(its.stream, its.version, _events(order, (its_fact,), about.happened_at, other_id)))
        after = Loaded(loaded.incident_id, loaded.version, fold(events, loaded.incident))
        if after.incident.is_open and not loaded.incident.is_open and (group := await self._group(order, after, about)):
            writes.append(group)
        message = "; ".join(_headline(loaded.stream, event) for event in events)
        if len(message) > MESSAGE_CHARS_MAX:
            message = f"{message[: MESSAGE_CHARS_MAX - 1]}…"
        return tuple(writes), Done(target=loaded.incident_id, seq=NOTHING, message=f"{loaded.incident_id}: {message}")

    async def _group(self, order: Order, taker: Loaded, about: Circumstances) -> Write | None:
        key = group_of_incident(taker.incident)
        if key is None:
            return None
        assigned = GroupAssigned(
            incident_id=taker.incident_id, service=taker.incident.service or taker.incident.title, rule=RULE
        )
        [event] = _events(order, (assigned,), about.happened_at, taker.incident_id)
        return await taking_its_group(self._log, self._histories, key, taker, event)

    async def _review(self, order: Order, command: ReviewCommand) -> Decision:
        loaded = await self._existing(order)
        stream = f"review.{loaded.incident_id}"
        history = await self._log.read(stream)
        review = fold_review(past.event for past in history)
        if order.id in review.answered:
            return await self._answered(order, stream, loaded.incident_id)
        about = await self._circumstances(order, command, loaded.incident_id)
        facts = decide_review(review, command, about)
        if not facts:
            return (), Done(target=loaded.incident_id, seq=NOTHING, message=f"{loaded.incident_id}: that holds already")
        events = _events(order, facts, about.happened_at, loaded.incident_id)
        message = f"{loaded.incident_id}: {_headline(stream, events[0])}"
        version = history[-1].seq if history else NOTHING
        return (Write(stream, version, events),), Done(target=loaded.incident_id, seq=NOTHING, message=message)

    async def _existing(self, order: Order) -> Loaded:
        loaded = await self._histories.incident(order.target) if order.target else None
        if loaded is None or loaded.version == NOTHING:
            raise CommandRefused(
                f"Cannot do this to {order.target or 'no incident'}",
                because=f"there is no {order.target}" if order.target else "the order names no incident",
                instead="name one, such as INC-42; `recount list` shows all",
                code="not_found" if order.target else "invalid",
            )
        return loaded

    async def _answered(self, order: Order, stream: str, target: str) -> Decision:
        """The same order again: its answer is where it was done."""
        history: Sequence[Recorded] = await self._log.read(stream)
        said = [past for past in history if past.event.causation_id == order.id]
        message = "; ".join(headline(past) for past in said)[:MESSAGE_CHARS_MAX]
        return (), Done(target=target, seq=said[-1].seq if said else NOTHING, message=f"{target}: {message}")

    async def _circumstances(
        self, order: Order, command: IncidentCommand | ReviewCommand, incident_id: str
    ) -> Circumstances:
        happened_at = order.happened_at or order.issued_at
        if isinstance(command, Declare) and command.declared_at is not None:
            happened_at = command.declared_at
        other, alert, review = UNOPENED, None, Review()
        if isinstance(command, Close):
            review = fold_review(past.event for past in await self._log.read(f"review.{incident_id}"))
        if isinstance(command, Merge):
            other = (await self._histories.incident(command.into_incident_id)).incident
        if isinstance(command, LinkAlert):
            alert = known_alert(command.alert_key, await self._log.read(f"alert.{command.alert_key}"))
        return Circumstances(
            incident_id=incident_id,
            actor=order.actor,
            happened_at=happened_at,
            now=self._clock.now(),
            other=other,
            alert=alert,
            review_published=review.published,
            unowned_actions=review.unowned_actions,
        )


def check_order(order: Order) -> None:
    """Refuse an order whose own fields cannot be used.

    Raises:
        CommandRefused: with code ``invalid``.
    """
    problem = ""
    if not 1 <= len(order.id) <= ORDER_ID_CHARS_MAX:
        problem = f"`$.id` has {len(order.id)} characters, not 1 to {ORDER_ID_CHARS_MAX}"
    elif not _ACTOR.fullmatch(order.actor):
        problem = f"`$.actor` is {order.actor!r}, not a person id or service:<name>"
    elif not _TARGET.fullmatch(order.target):
        problem = f"`$.target` is {order.target!r}, not an incident id such as INC-42"
    elif any(moment and moment.utcoffset() is None for moment in (order.issued_at, order.happened_at)):
        problem = "`$.issued_at` and `$.happened_at` need a time zone"
    if problem:
        raise CommandRefused(
            "Cannot carry out an order", because=problem, instead="send it again, corrected", code="invalid"
        )


def _events(order: Order, facts: Sequence[Fact], happened_at: datetime, about: str) -> tuple[Event, ...]:
    return tuple(
        Event(
            id=derived_event_id(order.id, tag_of(type(fact)), str(number)),
            fact=fact,
            happened_at=happened_at,
            source=SOURCE,
            actor=order.actor,
            auth_id=order.auth_id,
            causation_id=order.id,
            correlation_id=about,
        )
        for number, fact in enumerate(facts)
    )


def _headline(stream: str, event: Event) -> str:
    return headline(Recorded(seq=0, stream=stream, recorded_at=event.happened_at, event=event))
