"""Receipts to alert facts: understand, load, decide, append.

A decision that writes nothing has no version check to protect it, so it must rest on what is in the log now, not on
what this copy of the service remembers: what was said since about any alert is read before each batch.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import msgspec

from events import Conflict, Event, EventLog, Write
from events.errors import InvalidEvent, LogError
from events.fact import tag_of
from events.ids import derived_event_id, key_of
from events.receipt import NATS_INTEGRATION, Receipt
from services.decision import decide_and_append
from services.intake.adapters import Adapter, InvalidPayload, adapters
from services.intake.alert_decider import Arrival, decide
from services.intake.alert_histories import AlertHistories
from services.intake.alert_state import AlertState, evolve, fold
from services.intake.expiry import Expiry
from services.intake.keys import Keys
from services.intake.signal import Said, Signal, fit

SOURCE = "recount/intake"
# Events of several alerts that share one atomic batch. The server allows 1,000; a smaller batch loses less to a
# conflict, and more gains nothing: one batch of 100 costs 4 ms, ten single appends about the same.
EVENTS_PER_APPEND_MAX = 250
# Signals about one alert that are decided at once: each says at most two facts, and one append takes 1,000.
SIGNALS_PER_ALERT_MAX = 400
_MAPPED = frozenset(name for name, adapter in adapters().items() if adapter.configured)
# Alert streams that are read at the same time.
READS_AT_ONCE = 32


class Aside(Protocol):
    """Takes what a receipt says beside alerts: a change, a ping, a wish to be confirmed."""

    async def handle(self, receipt: Receipt, number: int, said: Said) -> bool | None:
        """Store it. Doing so twice writes nothing new.

        Returns:
            Whether a fact that names the receipt stands for it, from now or from before. If not, it changed nothing.

        Raises:
            LogError: the log does not answer or is full; it may be repeated.
            InvalidPayload: it cannot be used.
        """
        ...


class _Said(msgspec.Struct, frozen=True):
    """One signal of one receipt, and its number there."""

    signal: Signal
    arrival: Arrival
    number: int


class _Decided(msgspec.Struct, frozen=True):
    stream: str
    events: tuple[Event, ...]
    after: int
    causes: frozenset[str]
    """Receipts that the stream has facts of, from now or from before."""


class Told(msgspec.Struct, frozen=True):
    """What became of some receipts."""

    unusable: dict[int, Exception]
    """Those that cannot be used, by position, and why."""
    repeated: tuple[int, ...]
    """Positions of those that were understood and changed nothing."""


class Translator:
    """Turns receipts into alert facts. Doing so twice writes nothing new.

    Args:
        log: where alerts live.
        keys: what the integration keys say about services.
        asides: who takes what is no signal about an alert, by its class.
        expiry: moves the timers of alerts that count as cleared when they are not repeated; None: none does.
    """

    def __init__(
        self,
        log: EventLog,
        keys: Keys,
        asides: Mapping[type[Said], Aside] = MappingProxyType({}),
        expiry: Expiry | None = None,
    ) -> None:
        self._log = log
        self._keys = keys
        self._asides = asides
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._histories = AlertHistories(log)
        self._expiry = expiry

    async def handle(self, receipts: Sequence[Receipt], *, settled: bool) -> dict[int, Exception]:
        """Store what receipts say.

        Args:
            receipts: in the order of their positions.
            settled: whether everything older has been dealt with.

        Returns:
            The receipts that cannot be used, by position, and why. Everything else is stored.

        Raises:
            LogError: the log does not answer or is full; the whole may be repeated.
        """
        return (await self.translate(receipts, settled=settled)).unusable

    async def translate(self, receipts: Sequence[Receipt], *, settled: bool) -> Told:
        """What `handle` does, telling too which receipts changed nothing. Raises what that does.

        A receipt that is delivered again after its facts were stored did change something.
        """
        unusable: dict[int, Exception] = {}
        by_stream: dict[str, list[_Said]] = {}
        beside: list[Coroutine[Any, Any, tuple[int, bool | Exception]]] = []
        await self._know_keys(receipts)
        await self._histories.refresh()
        for receipt in receipts:
            try:
                key = self._keys.get(receipt.integration)
                adapter = adapter_of(receipt).for_mapping(key.mapping if key else "")
                told = tuple(enumerate(adapter.translate(receipt)))
                for stream, said in self._read(receipt, adapter, told, settled=settled):
                    by_stream.setdefault(stream, []).append(said)
                beside += [self._aside(receipt, number, said) for number, said in told if not isinstance(said, Signal)]
            except Exception as error:  # an adapter that fails on one payload must not stop the others
                unusable[receipt.seq] = error
        standing: set[str] = set()
        for seq, outcome in await asyncio.gather(*beside):
            if isinstance(outcome, Exception):
                unusable[seq] = outcome
            elif outcome:
                standing.add(_cause(seq))
        if self._expiry is not None:
            last = [(stream, all_said[-1]) for stream, all_said in by_stream.items()]
            await self._expiry.seen((s, one.signal, one.arrival) for s, one in last if one.signal.state == "firing")
        while by_stream:
            now = {stream: said[:SIGNALS_PER_ALERT_MAX] for stream, said in by_stream.items()}
            unusable |= await self._store(now, standing)
            by_stream = {
                stream: said[SIGNALS_PER_ALERT_MAX:]
                for stream, said in by_stream.items()
                if len(said) > SIGNALS_PER_ALERT_MAX
            }
        repeated = (one.seq for one in receipts if one.seq not in unusable and _cause(one.seq) not in standing)
        return Told(unusable, tuple(dict.fromkeys(repeated)))

    async def _know_keys(self, receipts: Sequence[Receipt]) -> None:
        """Look the keys up again where one is new to us, or carries a mapping, which may have changed."""
        if any(
            receipt.integration != NATS_INTEGRATION
            and (self._keys.get(receipt.integration) is None or receipt.source in _MAPPED)
            for receipt in receipts
        ):
            await self._keys.refresh()

    async def _aside(self, receipt: Receipt, number: int, said: Said) -> tuple[int, bool | Exception]:
        try:
            if type(said) not in self._asides:
                raise InvalidPayload(f"nobody takes a {type(said).__name__.lower()} here")
            async with self._reads:
                return receipt.seq, bool(await self._asides[type(said)].handle(receipt, number, said))
        except LogError:
            raise
        except Exception as error:  # as with an adapter
            return receipt.seq, error

    def _read(
        self, receipt: Receipt, adapter: Adapter, told: Sequence[tuple[int, Said]], *, settled: bool
    ) -> list[tuple[str, _Said]]:
        key = self._keys.get(receipt.integration)
        arrival = Arrival(
            seq=receipt.seq,
            received_at=receipt.received_at,
            integration=receipt.integration,
            sender=adapter.name,
            settled=settled,
        )
        found: list[tuple[str, _Said]] = []
        for number, signal in told:
            if not isinstance(signal, Signal):
                continue
            service = signal.service or (key.service if key else "")
            said = _Said(fit(msgspec.structs.replace(signal, service=service)), arrival, number)
            found.append((f"alert.{alert_key(receipt, signal)}", said))
        return found

    async def _store(self, by_stream: dict[str, list[_Said]], standing: set[str]) -> dict[int, Exception]:
        await self._histories.prepare(list(by_stream))
        decided = await asyncio.gather(*(self._decide(stream, said) for stream, said in by_stream.items()))
        contended: list[str] = []
        for batch in _batches([one for one in decided if one.events]):
            try:
                await self._log.append(*(Write(one.stream, one.after, one.events) for one in batch))
            except (Conflict, InvalidEvent):
                contended += [one.stream for one in batch]
        standing.update(*(one.causes for one in decided if one.stream not in contended))
        unusable: dict[int, Exception] = {}
        for stream, outcome in zip(
            contended,
            await asyncio.gather(
                *(self._store_alone(stream, by_stream[stream]) for stream in contended), return_exceptions=True
            ),
            strict=True,
        ):
            if isinstance(outcome, InvalidEvent):
                unusable |= {said.arrival.seq: outcome for said in by_stream[stream]}
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                standing |= outcome
        return unusable

    async def _store_alone(self, stream: str, said: list[_Said]) -> frozenset[str]:
        async def attempt() -> tuple[tuple[Write, ...], frozenset[str]]:
            one = await self._decide(stream, said, again=True)
            return ((Write(stream, one.after, one.events),) if one.events else ()), one.causes

        _seq, causes = await decide_and_append(self._log, attempt)
        return causes

    async def _decide(self, stream: str, said: list[_Said], *, again: bool = False) -> _Decided:
        async with self._reads:
            history = await (self._histories.reload(stream) if again else self._histories.load(stream))
        state, version = fold(history)
        answered = {recorded.event.id for recorded in history}
        events: list[Event] = []
        for one in said:
            state = _answer(state, one, answered, events)
        causes = {event.causation_id for event in (*(recorded.event for recorded in history), *events)}
        return _Decided(stream, tuple(events), version, frozenset(causes & {_cause(one.arrival.seq) for one in said}))


def _answer(state: AlertState, said: _Said, answered: set[str], events: list[Event]) -> AlertState:
    for fact, happened_at in decide(state, said.signal, said.arrival):
        cause = _cause(said.arrival.seq)
        event_id = derived_event_id(cause, str(said.number), tag_of(type(fact)))
        if event_id in answered:
            continue
        answered.add(event_id)
        events.append(
            Event(
                id=event_id,
                fact=fact,
                happened_at=happened_at,
                source=SOURCE,
                actor=f"key:{said.arrival.integration}",
                causation_id=cause,
            )
        )
        state = evolve(state, fact, happened_at)
    return state


def adapter_of(receipt: Receipt) -> Adapter:
    """Who can read a receipt.

    Raises:
        InvalidPayload: no adapter has that name.
    """
    known = adapters()
    if receipt.integration == NATS_INTEGRATION:
        is_cloudevent = (
            receipt.content_type.startswith("application/cloudevents") or "ce-specversion" in receipt.headers
        )
        return known["cloudevents" if is_cloudevent else "json"]
    if receipt.source not in known:
        raise InvalidPayload(f"no adapter is called {receipt.source!r}; there are {', '.join(sorted(known))}")
    return known[receipt.source]


def alert_key(receipt: Receipt, signal: Signal) -> str:
    """The key of an alert: the same sender's same fingerprint. Producers on NATS are told apart by their subject."""
    if receipt.integration == NATS_INTEGRATION:
        return key_of(NATS_INTEGRATION, receipt.source, signal.fingerprint)
    return key_of(receipt.integration, signal.fingerprint)


def _cause(seq: int) -> str:
    """How events name the receipt that they answer."""
    return f"intake-{seq}"


def _batches(decided: list[_Decided]) -> list[list[_Decided]]:
    batches: list[list[_Decided]] = []
    room = 0
    for one in decided:
        if not batches or len(one.events) > room:
            batches.append([])
            room = EVENTS_PER_APPEND_MAX
        batches[-1].append(one)
        room -= len(one.events)
    return batches
