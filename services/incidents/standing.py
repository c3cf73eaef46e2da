"""What stands now beside the alerts themselves: the rules that were published last, and the silences.

Both are read from the log and kept, and before each decision everything newer is asked for, so that a decision rests on
what is in the log and not on what this copy of the service has heard of.
"""

import asyncio
import itertools
import logging
from datetime import datetime, timedelta

from events import NOTHING, EventLog, Recorded
from events.errors import BadConfiguration
from events.rules import RulesPublished
from events.silence import SilenceFact
from events.subjects import split
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.rules.silences import Silence, silence_after

logger = logging.getLogger("recount")

# For so long after its end a silence is named among what was looked at. All are kept, because one may be made to last
# longer after it ran out; a thousand take about a megabyte.
SHOWN_AFTER = timedelta(hours=1)
# Read in this order when there is news: what went before a fact that is found in one read is found by the next at the
# latest.
_SILENCE_FACTS = ("ended", "changed", "created")


class Standing:
    """The rules and the silences of now.

    Args:
        log: holds them.
        built_in: the rules that decide while none are published.
    """

    def __init__(self, log: EventLog, built_in: RuleSet) -> None:
        self._log = log
        self._known: dict[str, Silence] = {}
        self._asked = dict.fromkeys(_SILENCE_FACTS, NOTHING)
        self.rules = built_in
        self.rules_seq = NOTHING
        """Position of the rules that were published last; 0 while there are none."""
        self.heard = NOTHING
        """Position of the last fact that was heard of: while it stays the same, so does everything here."""

    def silences(self, now: datetime) -> tuple[Silence, ...]:
        """Every silence that holds, will hold, or ended a moment ago."""
        return tuple(silence for silence in self._known.values() if silence.ends_at + SHOWN_AFTER > now)

    def silence(self, silence_id: str) -> Silence | None:
        """One of them."""
        return self._known.get(silence_id)

    async def refresh(self) -> None:
        """Hear of everything that was said until now.

        Raises:
            LogUnavailable: no answer.
        """
        published, news = await asyncio.gather(
            self._log.last_of("rules", "published"), asyncio.gather(*map(self._told, _SILENCE_FACTS))
        )
        if published is not None and published.seq > self.rules_seq:
            self._adopt(published)
            self.heard = max(self.heard, published.seq)
        if not any(news):
            return
        news = [await self._told(name) for name in _SILENCE_FACTS]
        for name, part in zip(_SILENCE_FACTS, news, strict=True):
            self._asked[name] = part[-1].seq if part else self._asked[name]
        for past in sorted(itertools.chain(*news), key=lambda past: past.seq):
            self._hear(past)
            self.heard = max(self.heard, past.seq)

    async def _told(self, name: str) -> list[Recorded]:
        return await self._log.read_named("silence", name, after=self._asked[name])

    def _adopt(self, published: Recorded) -> None:
        assert isinstance(published.fact, RulesPublished)
        try:
            self.rules = parse_rules(published.fact.text)
        except BadConfiguration as error:
            # Whoever publishes checks first, so they were written for another version: those before go on.
            logger.error("incidents: the rules at position %d cannot be used: %s", published.seq, error)
        self.rules_seq = published.seq

    def _hear(self, past: Recorded) -> None:
        silence_id = split(past.stream)[1]
        if not isinstance(past.fact, SilenceFact):
            return
        silence = silence_after(self._known.get(silence_id), silence_id, past.fact, past.happened_at)
        if silence is not None:
            self._known[silence_id] = silence
