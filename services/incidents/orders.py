"""Carry out one order: load what it rests on, decide, and say what to append."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from events import NOTHING, Event, EventLog, Fact, Recorded, Write, headline
from events.change import ChangeRecorded
from events.fact import tag_of
from events.group import GroupAssigned
from events.ids import derived_event_id, incident_id, key_of
from events.incident import IncidentFact, IncidentResolved
from events.order import OrderCarriedOut
from services.clock import Clock
from services.command import CommandRefused, Done, Order
from services.incidents.circumstances import Circumstances
from services.incidents.commands import (
    Close,
    CorrectionCommand,
    CorrectMilestone,
    Declare,
    IncidentCommand,
    LinkAlert,
    LinkChange,
    Merge,
    Open,
    Retract,
    ReviewCommand,
)
from services.incidents.decider import decide
from services.incidents.grouping import RULE, group_of_incident, known_alert
from services.incidents.histories import Histories, Loaded
from services.incidents.linked import event_of, pages_of
from services.incidents.merging import counterpart
from services.incidents.review import Review, decide_review, fold_review
from services.incidents.saying import SOURCE
from services.incidents.state import UNOPENED, Incident, fold
from services.incidents.taking import taking_its_group

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
        about = await self._circumstances(order, command, loaded)
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
        new = Loaded(incident_id(await self._histories.next_number()), NOTHING, UNOPENED)
        about = await self._circumstances(order, command, new)
        writes, done = await self._said(order, new, decide(UNOPENED, command, about), about)
        carried_out = OrderCarriedOut(order_id=order.id, target=new.incident_id)
        events = _events(order, (carried_out,), about, new.incident_id)
        return (Write(guard, NOTHING, events), *writes), done

    async def _said(
        self, order: Order, loaded: Loaded, facts: tuple[IncidentFact, ...], about: Circumstances
    ) -> Decision:
        events = _events(order, facts, about, loaded.incident_id)
        writes = [Write(loaded.stream, loaded.version, events)]
        for fact in facts:
            if other := counterpart(loaded.incident_id, fact):
                other_id, its_fact = other
                its = await self._histories.incident(other_id)
                writes.append(Write(its.stream, its.version, _events(order, (its_fact,), about, other_id)))
        history = [past.event for past in about.history]
        folded = fold((*history, *events)) if history else fold(events, loaded.incident)
        after = Loaded(loaded.incident_id, loaded.version, folded)
        if after.incident.is_open and not loaded.incident.is_open:
            writes += await self._groups(order, after, about)
        message = "; ".join(_headline(loaded.stream, event) for event in events)
        if len(message) > MESSAGE_CHARS_MAX:
            message = f"{message[: MESSAGE_CHARS_MAX - 1]}…"
        return tuple(writes), Done(target=loaded.incident_id, seq=NOTHING, message=f"{loaded.incident_id}: {message}")

    async def _groups(self, order: Order, taker: Loaded, about: Circumstances) -> list[Write]:
        """What gives it the alerts of its group, and of those whose incidents were merged into it: a third incident
        that takes one of them in the same moment must meet it there."""
        members = await self._histories.with_absorbed(taker.incident)
        about_what: dict[str, Incident] = {}
        for incident in (taker.incident, *(each.incident for each in members)):
            if key := group_of_incident(incident):
                about_what.setdefault(key, incident)
        own = group_of_incident(taker.incident)
        writes: list[Write] = []
        for key, incident in about_what.items():
            assigned = GroupAssigned(
                incident_id=taker.incident_id, service=incident.service or incident.title, rule=RULE
            )
            [event] = _events(order, (assigned,), about, taker.incident_id)
            if key != own:
                event = replace(event, id=derived_event_id(event.id, key))
            if write := await taking_its_group(self._log, self._histories, key, taker, event, follows=key != own):
                writes.append(write)
        return writes

    async def _review(self, order: Order, command: ReviewCommand) -> Decision:
        loaded = await self._existing(order)
        stream = f"review.{loaded.incident_id}"
        history = await self._log.read(stream)
        review = fold_review((past.event for past in history), loaded.incident.retracted)
        if order.id in review.answered:
            return await self._answered(order, stream, loaded.incident_id)
        about = await self._circumstances(order, command, loaded)
        facts = decide_review(review, command, about)
        if not facts:
            return (), Done(target=loaded.incident_id, seq=NOTHING, message=f"{loaded.incident_id}: that holds already")
        events = _events(order, facts, about, loaded.incident_id)
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

    async def _review_of(self, loaded: Loaded) -> Review:
        history = await self._log.read(f"review.{loaded.incident_id}")
        return fold_review((past.event for past in history), loaded.incident.retracted)

    async def _circumstances(
        self, order: Order, command: IncidentCommand | ReviewCommand, loaded: Loaded
    ) -> Circumstances:
        happened_at = order.happened_at or order.issued_at
        if isinstance(command, Declare) and command.declared_at is not None:
            happened_at = command.declared_at
        other, alert, change_title, review = UNOPENED, None, "", Review()
        if isinstance(command, Close):
            review = await self._review_of(loaded)
        if isinstance(command, Merge):
            other = (await self._histories.incident(command.into_incident_id)).incident
        if isinstance(command, LinkAlert):
            alert = known_alert(command.alert_key, await self._log.read(f"alert.{command.alert_key}"))
        if isinstance(command, LinkChange):
            told = [past.fact for past in await self._log.read(f"change.{command.change_key}")]
            change_title = next((fact.title for fact in reversed(told) if isinstance(fact, ChangeRecorded)), "")
        about = Circumstances(
            incident_id=loaded.incident_id,
            actor=order.actor,
            happened_at=happened_at,
            now=self._clock.now(),
            other=other,
            alert=alert,
            change_title=change_title,
            review_published=review.published,
            unowned_actions=review.unowned_actions,
            over_at=command.resolved_at if isinstance(command, Declare) else None,
        )
        if isinstance(command, CorrectionCommand):
            return await self._about_the_past(about, command, loaded)
        return about

    async def _about_the_past(self, about: Circumstances, command: CorrectionCommand, loaded: Loaded) -> Circumstances:
        # Nothing after the version that the append will check.
        history = tuple(past for past in await self._log.read(loaded.stream) if past.seq <= loaded.version)
        about = replace(about, history=history)
        match command:
            case Retract(seq=seq):
                return replace(about, retracted=await event_of(self._log, loaded, seq))
            case CorrectMilestone(milestone="notified"):
                return replace(about, linked=await pages_of(self._log, loaded.incident_id))
            case _:
                return about


def check_order(order: Order) -> None:
    """Refuse an order whose own fields cannot be used.

    Raises:
        CommandRefused: with code ``invalid``.
    """
    problem = ""
    at = order.happened_at or order.issued_at
    if not 1 <= len(order.id) <= ORDER_ID_CHARS_MAX:
        problem = f"`$.id` has {len(order.id)} characters, not 1 to {ORDER_ID_CHARS_MAX}"
    elif not _ACTOR.fullmatch(order.actor):
        problem = f"`$.actor` is {order.actor!r}, not a person id or service:<name>"
    elif not _TARGET.fullmatch(order.target):
        problem = f"`$.target` is {order.target!r}, not an incident id such as INC-42"
    elif any(moment and moment.utcoffset() is None for moment in _times(order)):
        problem = "`$.issued_at` and every `$.happened_…` need a time zone"
    elif not (order.happened_earliest or at) <= at <= (order.happened_latest or at):
        raise CommandRefused(
            "Cannot carry out an order",
            because=f"it happened at {_iso(at)}, which does not lie between `$.happened_earliest` and "
            f"`$.happened_latest`, {_iso(order.happened_earliest or at)} and {_iso(order.happened_latest or at)}",
            instead="give the earliest and the latest time that it can have been, and one between them",
            code="invalid",
        )
    if problem:
        raise CommandRefused(
            "Cannot carry out an order", because=problem, instead="send it again, corrected", code="invalid"
        )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _times(order: Order) -> tuple[datetime | None, ...]:
    return order.issued_at, order.happened_at, order.happened_earliest, order.happened_latest


def _events(order: Order, facts: Sequence[Fact], about: Circumstances, incident_id: str) -> tuple[Event, ...]:
    events = []
    for number, fact in enumerate(facts):
        # An incident that is declared when it is over was not resolved at the time of its declaration.
        over_at = about.over_at if isinstance(fact, IncidentResolved) else None
        events.append(
            Event(
                id=derived_event_id(order.id, tag_of(type(fact)), str(number)),
                fact=fact,
                happened_at=over_at or about.happened_at,
                source=SOURCE,
                actor=order.actor,
                auth_id=order.auth_id,
                causation_id=order.id,
                correlation_id=incident_id,
                happened_earliest=None if over_at else order.happened_earliest,
                happened_latest=None if over_at else order.happened_latest,
            )
        )
    return tuple(events)


def _headline(stream: str, event: Event) -> str:
    return headline(Recorded(seq=0, stream=stream, recorded_at=event.happened_at, event=event))
