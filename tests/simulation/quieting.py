"""Those who publish rules and silence alerts in the simulated world."""

from datetime import timedelta
from hashlib import sha256
from random import Random

from events import Event, EventLog, Fact, Write
from events.rules import RulesPublished
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from services.clock import FakeClock

RULES = """
[route]
opens_at = "error"
[[route.routes]]
name = "search"
matchers = ['service="search"']
group_wait = "2m"
resolve_after_clear = "30m"
[[inhibit]]
name = "checkout down"
source = ['alertname="CheckoutErrors"']
target = ['alertname=~"Checkout.*"']
equal = ["service"]
[flapping]
changes = 6
within = "1h"
settle = "20m"
"""
MATCHERS = ('service="checkout"', 'service="search"', 'alertname=~"Search.*|DiskFull"', 'alertname="NoHeartbeat"')


class Quieting:
    """Silences come, last longer or shorter, and end; half of the worlds have rules of their own."""

    def __init__(self, log: EventLog, random: Random, clock: FakeClock) -> None:
        self._log = log
        self._random = random
        self._clock = clock
        self._made = 0
        self._lasting: list[str] = []

    async def introduce(self) -> None:
        """Publish rules, or do without."""
        if self._random.random() < 0.5:
            fact = RulesPublished(text=RULES, text_sha256=sha256(RULES.encode()).hexdigest())
            await self._say("rules.default", fact)

    async def act(self) -> None:
        """Sometimes, begin, change or end a silence."""
        chance = self._random.random()
        now = self._clock.now()
        time = timedelta(minutes=self._random.uniform(1, 300))
        if chance < 0.05:
            self._made += 1
            silence_id = f"sil-{self._made}"
            self._lasting.append(silence_id)
            starts_at = now + (timedelta() if self._random.random() < 0.7 else time / 4)
            matchers = (self._random.choice(MATCHERS),)
            created = SilenceCreated(matchers=matchers, starts_at=starts_at, ends_at=starts_at + time, reason="work")
            await self._say(f"silence.{silence_id}", created)
        elif chance < 0.08 and self._lasting:
            changed = SilenceChanged(starts_at=now, ends_at=now + time, reason="longer or shorter")
            await self._say(f"silence.{self._random.choice(self._lasting)}", changed)
        elif chance < 0.11 and self._lasting:
            silence_id = self._lasting.pop(self._random.randrange(len(self._lasting)))
            await self._say(f"silence.{silence_id}", SilenceEnded(reason="done"))

    async def _say(self, stream: str, fact: Fact) -> None:
        # Nothing else may come between, because nobody else writes these facts: it gives way to nobody.
        last = await self._log.last(stream)
        version = last.seq if last else 0
        event = Event(id=f"{stream}-{version}", fact=fact, happened_at=self._clock.now(), source="recount/signals")
        await self._log.append(Write(stream, version, (event,)))
