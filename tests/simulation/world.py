"""A world on one seed: every service in two copies on a memory log and a fake clock, people and monitoring around
them, and all that may go wrong between them.

Everything is chosen by one random generator and runs in one event loop without waiting, so a seed always gives the same
history.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from events import Stored, decode
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.incidents.service import Incidents
from services.intake.keys import Keys
from services.intake.translator import Translator
from services.notifier.service import Notifier
from tests.simulation.deliveries import Mailbox
from tests.simulation.faults import FaultyLog, ForgetfulLog
from tests.simulation.history import History
from tests.simulation.monitoring import Monitoring
from tests.simulation.paging import Paging
from tests.simulation.quieting import Quieting
from tests.simulation.responders import Responders

COPIES = 2
FAULT_RATE = 0.08
# After its last step a world is watched for this long: every escalation, retry and late delivery ends within it, while
# hand-overs of the rotation never do.
REST = timedelta(hours=48)
# Everything that waits is delivered within this many rounds, or something goes round in circles.
DRAIN_ROUNDS_MAX = 20_000
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class World:
    """One run."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        self.clock = FakeClock(BEGIN)
        self.log = ForgetfulLog(self.clock.now)
        self.timers = MemoryTimers(self.log)
        self._views: list[FaultyLog] = []
        self._offered = 0
        self._paging = Paging(self.random, self.clock, self.timers, folder)
        translators = [Translator(self.log_of_a_process(), Keys(self.log)) for _ in range(COPIES)]
        self.monitoring = Monitoring(translators, self.random, self.clock)
        # Every kind of service with what starts a copy of it.
        starts: tuple[Callable[[], Any], ...] = (
            lambda: Incidents(self.log_of_a_process(), self.clock, timers=self.timers),
            lambda: self._paging.oncall(self.log_of_a_process()),
            lambda: self._paging.notifier(self.log_of_a_process()),
        )
        self._services = [(start, [start() for _ in range(COPIES)]) for start in starts]
        self.mailboxes = [Mailbox(copies, self.random, self.clock) for _start, copies in self._services]
        self._quieting = Quieting(self.log, self.random, self.clock)
        self.responders = Responders(self._services[0][1], self.log, self.random, self.clock)

    def log_of_a_process(self) -> FaultyLog:
        """The log as one process sees it."""
        view = FaultyLog(self.log, self.random, FAULT_RATE)
        self._views.append(view)
        return view

    async def run(self, steps: int) -> History:
        """Let things happen, then let everything come to rest, and tell what happened."""
        await self._paging.introduce(self.log)
        await self._quieting.introduce()
        for _ in range(steps):
            await self._step()
        await self._drain()
        stored = tuple(await self._stored_after(0))
        return History(
            events=tuple(decode(entry) for entry in stored),
            stored=stored,
            answers=tuple(self.responders.answers),
            messages=tuple(message.id for message in self._paging.pagers.sent),
            began=frozenset(self.monitoring.began),
            firing=self.monitoring.firing(),
            ended_at=self.clock.now(),
        )

    async def _step(self) -> None:
        await self._pass_time()
        for _ in range(self.random.randint(0, 2)):
            self.monitoring.notices()
        await self._quieting.act()
        at_once = self.random.choices(self._possible(), k=self.random.randint(1, 5))
        await asyncio.gather(*(act() for act in at_once))
        if self.random.random() < 0.7:
            await self._finish_pages()
        if self.random.random() < 0.05:
            await self._restart_a_copy()
        await self._offer_news()

    def _possible(self) -> list[Callable[[], object]]:
        deliveries: list[Callable[[], object]] = [box.deliver for box in self.mailboxes for _ in range(3)]
        return [*deliveries, self.monitoring.translate, self.monitoring.translate, self.responders.ask_something]

    async def _pass_time(self) -> None:
        chance = self.random.random()
        if chance < 0.6:
            self.clock.moment += timedelta(seconds=self.random.uniform(0, 30))
        elif chance < 0.97:
            self.clock.moment += timedelta(minutes=self.random.uniform(1, 20))
        else:
            await self._finish_pages()
            self.clock.moment += timedelta(hours=self.random.uniform(1, 12))
        self.timers.fire_due(self.clock.now())
        await self._offer_news()

    async def _restart_a_copy(self) -> None:
        start, copies = self.random.choice(self._services)
        gone = self.random.randrange(COPIES)
        if isinstance(copies[gone], Notifier):
            await copies[gone].stop()
        copies[gone] = start()

    async def _finish_pages(self) -> None:
        for _start, copies in self._services:
            for copy in copies:
                if isinstance(copy, Notifier):
                    await copy.idle()

    async def _stored_after(self, position: int) -> list[Stored]:
        through = await self.log.last_position()
        return [stored async for batch in self.log.bulk(after=position, through=through) for stored in batch]

    async def _offer_news(self) -> None:
        news = await self._stored_after(self._offered)
        for stored in news:
            for box in self.mailboxes:
                box.offer(stored)
        self._offered += len(news)

    async def _drain(self) -> None:
        for view in self._views:
            view.fault_rate = 0.0
        until = self.clock.now() + REST
        for _ in range(DRAIN_ROUNDS_MAX):
            await self.responders.ask_again()
            await self.monitoring.translate(calm=True)
            for box in self.mailboxes:
                await box.deliver(calm=True)
            await self._finish_pages()
            await self._offer_news()
            if self.monitoring.ready() or any(box.ready() for box in self.mailboxes):
                continue
            moments = [box.next_due() for box in self.mailboxes] + [self.timers.next_due()]
            following = min((moment for moment in moments if moment is not None), default=until)
            if following >= until:
                return
            self.clock.moment = max(self.clock.moment, following)
            self.timers.fire_due(self.clock.now())
            await self._offer_news()
        raise AssertionError(f"the world does not come to rest in {DRAIN_ROUNDS_MAX} rounds")
