"""What was said of alerts lately, each fact read once.

In a storm hundreds of alerts begin to fire at a time. Asking about each alone, or for everything since the first of
them again and again, costs more than deciding about them.

What is kept is never trusted alone: each question first reads what was appended since.
"""

from collections import deque
from collections.abc import Mapping

from events import NOTHING, EventLog, Recorded
from events.subjects import split

# With fewer alerts than this there is nothing to gain.
ALERTS_MIN = 8
# Reading a fact in one stretch costs a tenth of asking for it alone: so many positions an alert may lie unread.
POSITIONS_PER_ALERT_MAX = 10
# A fact takes a kilobyte or two.
FACTS_KEPT_MAX = 10_000


class RecentAlerts:
    """Facts about alerts after a position that moves on.

    Args:
        log: holds them.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._after = NOTHING
        """Everything that was said of alerts after this position and until the next is kept."""
        self._through = NOTHING
        self._facts: deque[tuple[str, Recorded]] = deque()
        self._by_alert: dict[str, deque[Recorded]] = {}

    async def since(self, after: Mapping[str, int]) -> dict[str, list[Recorded]]:
        """The facts of some alerts, each after a position, as they are now; of those alerts of which that is known
        here, which may be none.

        Raises:
            LogUnavailable: no answer.
        """
        if len(after) < ALERTS_MIN:
            return {}
        begins = min(after.values())
        if begins > self._through:
            self._forget(begins)
        if await self._log.last_position() - self._through > len(after) * POSITIONS_PER_ALERT_MAX:
            return {}
        for past in await self._log.read_category("alert", after=self._through):
            self._keep(split(past.stream)[1], past)
        return {
            alert_key: [past for past in self._by_alert.get(alert_key, ()) if past.seq > position]
            for alert_key, position in after.items()
            if position >= self._after
        }

    def _keep(self, alert_key: str, past: Recorded) -> None:
        self._through = past.seq
        self._facts.append((alert_key, past))
        self._by_alert.setdefault(alert_key, deque()).append(past)
        while len(self._facts) > FACTS_KEPT_MAX:
            oldest_key, oldest = self._facts.popleft()
            self._after = oldest.seq
            own = self._by_alert[oldest_key]
            own.popleft()
            if not own:
                del self._by_alert[oldest_key]

    def _forget(self, position: int) -> None:
        self._facts.clear()
        self._by_alert.clear()
        self._after = self._through = position
