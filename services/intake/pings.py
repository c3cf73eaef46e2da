"""Pings: a heartbeat's sender says that it is alive. A ping moves a timer and, as a rule, leaves no fact."""

from datetime import datetime

from events import Event, EventLog, Write
from events.fact import Fact
from events.heartbeat import HeartbeatReturned, HeartbeatUnexpected
from events.ids import derived_event_id
from events.receipt import Receipt
from events.timers import Timers
from services.decision import decide_and_append
from services.heartbeat import Heartbeat, heartbeat_id, heartbeat_of, last_ping_in, timer, timer_id
from services.intake.signal import Ping, Said

SOURCE = "recount/intake"


class Pings:
    """Takes pings beside alerts (`translator.Aside`).

    Args:
        log: where heartbeats live.
        timers: hold when the next ping is overdue.
    """

    def __init__(self, log: EventLog, timers: Timers) -> None:
        self._log = log
        self._timers = timers

    async def handle(self, receipt: Receipt, number: int, said: Said) -> bool:
        """See `translator.Aside.handle`."""
        assert isinstance(said, Ping), "only pings come here"
        identifier, at = heartbeat_id(said.heartbeat_id), receipt.received_at
        stream, cause = f"heartbeat.{identifier}", f"intake-{receipt.seq}"
        heartbeat = heartbeat_of(await self._log.read(stream))
        if heartbeat.expects:
            await self._put_off(identifier, at + heartbeat.wait, at)

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            # Read after the timer was put off, so that whoever told a miss meanwhile sees the one or we see the other.
            history = await self._log.read(stream)
            if any(recorded.event.causation_id == cause for recorded in history):
                return (), True
            now = heartbeat_of(history)
            fact = _changed(now, receipt)
            if fact is None:
                return (), False
            event = Event(
                id=derived_event_id(cause, str(number), type(fact).__name__),
                fact=fact,
                happened_at=at,
                source=SOURCE,
                actor=f"key:{receipt.integration}",
                causation_id=cause,
            )
            return (Write(stream, now.version, (event,)),), True

        _seq, leaves_a_fact = await decide_and_append(self._log, attempt)
        return leaves_a_fact

    async def _put_off(self, identifier: str, due_at: datetime, at: datetime) -> None:
        waiting = await self._timers.waiting(timer_id(identifier))
        before = last_ping_in(waiting.token) if waiting else None
        # An old ping that is delivered again must not undo what a newer one did.
        if before is None or before < at:
            await self._timers.set(timer(identifier, due_at, last_ping_at=at))


def _changed(heartbeat: Heartbeat, receipt: Receipt) -> Fact | None:
    if heartbeat.configured is None:
        return None if heartbeat.unexpected else HeartbeatUnexpected(receipt_seq=receipt.seq)
    is_news = heartbeat.last_ping_at is None or receipt.received_at > heartbeat.last_ping_at
    return HeartbeatReturned(receipt_seq=receipt.seq) if heartbeat.missed and is_news else None
