"""How events reach a service: at least once, in any order, to any of its copies, also again hours later."""

import re
from datetime import datetime, timedelta
from random import Random

from events import Stored, decode
from events.errors import LogError
from services.clock import FakeClock
from services.listener import BatchListener, Listener
from tests.simulation.faults import Crash

AGAIN_AT_ONCE = 0.1
AGAIN_AFTER_HOURS = 0.1
HOURS_MAX = 30
BATCH_MAX = 8
RETRY = timedelta(seconds=5)


class Mailbox:
    """The durable consumer of one service and the copies that share it."""

    def __init__(self, copies: list[Listener], random: Random, clock: FakeClock) -> None:
        self.copies = copies
        self._random = random
        self._clock = clock
        self._filters = [_pattern(subject) for subject in copies[0].hears]
        self._waiting: list[tuple[datetime, Stored]] = []
        self.deliveries = 0

    def offer(self, stored: Stored) -> None:
        """An event was stored."""
        if any(pattern.fullmatch(stored.subject) for pattern in self._filters):
            self._waiting.append((self._clock.now(), stored))

    def ready(self) -> bool:
        """Whether something may be delivered now."""
        return any(due <= self._clock.now() for due, _ in self._waiting)

    def next_due(self) -> datetime | None:
        """When the next delivery is due; None when none waits."""
        return min((due for due, _ in self._waiting), default=None)

    async def deliver(self, *, calm: bool = False) -> None:
        """Hand one waiting event to one copy, or several to one that takes them; what fails comes back later."""
        due = [entry for entry in self._waiting if entry[0] <= self._clock.now()]
        if not due:
            return
        # Mostly in order, as a consumer delivers; sometimes from anywhere, as after a pause.
        in_order = calm or self._random.random() < 0.6
        copy = self._random.choice(self.copies)
        count = self._random.randint(1, min(BATCH_MAX, len(due))) if isinstance(copy, BatchListener) else 1
        batch = due[:count] if in_order else self._random.sample(due, count)
        for entry in batch:
            self._waiting.remove(entry)
        self.deliveries += 1
        try:
            if isinstance(copy, BatchListener):
                await copy.on_events([decode(stored) for _when, stored in batch])
            else:
                await copy.on_event(decode(batch[0][1]))
        except (Crash, LogError):
            self._waiting += [(self._clock.now() + RETRY, stored) for _when, stored in batch]
            return
        for _when, stored in batch:
            self._deliver_again(stored, calm=calm)

    def _deliver_again(self, stored: Stored, *, calm: bool) -> None:
        chance = self._random.random()
        if not calm and chance < AGAIN_AT_ONCE:
            self._waiting.append((self._clock.now(), stored))
        elif not calm and chance < AGAIN_AT_ONCE + AGAIN_AFTER_HOURS:
            hours = self._random.uniform(0.01, HOURS_MAX)
            self._waiting.append((self._clock.now() + timedelta(hours=hours), stored))


def _pattern(subject_filter: str) -> re.Pattern[str]:
    tokens = {"*": r"[^.]+", ">": r".+"}
    return re.compile(r"\.".join(tokens.get(token, re.escape(token)) for token in subject_filter.split(".")))
