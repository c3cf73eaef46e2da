"""Senders that never say when an alert stops: it counts as cleared when it has not been repeated for long enough.

Repeats are no facts, so each moves a durable timer; the incidents service hears it when it fires, and says that the
alert cleared. A timer is moved at most ten times in the time that it waits, and waits that much longer.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

from events import NOTHING, EventLog
from events.errors import BadConfiguration
from events.rules import RulesPublished
from events.timers import Timer, Timers
from services.intake.alert_decider import Arrival
from services.intake.commands import EXPIRY_PURPOSE
from services.intake.signal import Signal
from services.rules.routing import route_of
from services.rules.rules_document import parse_rules
from services.rules.ruleset import BUILT_IN, RuleSet
from services.rules.verdict import labels_to_match

logger = logging.getLogger("recount.intake")

# Alerts whose timer this copy remembers to have set; one that is forgotten has it set once more.
REMEMBERED_MAX = 50_000
MOVED_TIMES = 10


class Expiry:
    """Moves the timers of alerts that were seen.

    Args:
        log: holds the rules.
        timers: tell the incidents service.
    """

    def __init__(self, log: EventLog, timers: Timers) -> None:
        self._log = log
        self._timers = timers
        self._rules: RuleSet = BUILT_IN
        self._rules_seq = NOTHING
        self._due: OrderedDict[str, datetime] = OrderedDict()

    async def seen(self, fired: Iterable[tuple[str, Signal, Arrival]]) -> None:
        """Alerts fire, or are repeated: the stream of each, what was said and how it came.

        Raises:
            LogUnavailable: no answer; doing it again is safe.
        """
        await self._refresh()
        if not any(route.expire_after for route in self._rules.route.walk()):
            return
        for stream, signal, arrival in fired:
            await self._move(stream, signal, arrival)

    async def _refresh(self) -> None:
        published = await self._log.last_of("rules", "published")
        if published is None or published.seq == self._rules_seq or not isinstance(published.fact, RulesPublished):
            return
        self._rules_seq = published.seq
        try:
            self._rules = parse_rules(published.fact.text)
        except BadConfiguration as error:
            logger.error("intake: the rules at position %d cannot be used: %s", published.seq, error)

    async def _move(self, stream: str, signal: Signal, arrival: Arrival) -> None:
        labels = labels_to_match(
            signal.labels,
            service=signal.service,
            severity=signal.severity,
            sender=arrival.sender,
            integration=arrival.integration,
            title=signal.title,
        )
        waits = [route.expire_after for route in route_of(self._rules.route, labels).routes if route.expire_after]
        if not waits:
            return
        slack = max(waits) / MOVED_TIMES
        due_at = arrival.received_at + max(waits) + slack
        known = self._due.get(stream)
        if known is not None and due_at - known < slack:
            return
        timer = Timer(id=f"expiry-{stream.partition('.')[2]}", due_at=due_at, purpose=EXPIRY_PURPOSE, about=stream)
        await self._timers.set(timer)
        self._due[stream] = due_at
        self._due.move_to_end(stream)
        while len(self._due) > REMEMBERED_MAX:
            self._due.popitem(last=False)
