"""Histories of alerts, read once: a storm repeats the same alerts, and each repeat is decided on what the log says.

What is kept is never trusted alone. Before each batch everything that was said about any alert since is read, which is
one request however many alerts the batch is about; a decision that says nothing, and so has no version check to protect
it, rests on the log as it was then.
"""

from collections import OrderedDict
from collections.abc import Sequence

from events import NOTHING, EventLog, Recorded

# Facts that are kept. One takes a kilobyte or two: labels and annotations make most of it.
FACTS_KEPT_MAX = 20_000
# Alerts that are kept, those without any fact too.
ALERTS_KEPT_MAX = 20_000
# Fewer unknown ones are read one by one: that is two requests saved at best.
UNKNOWN_MIN = 4
# An alert with more facts than this is read when it is needed: it would crowd out too many others.
FACTS_OF_ONE_MAX = 200


class AlertHistories:
    """Loads the streams of alerts, and keeps those used last.

    Args:
        log: holds them.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, list[Recorded]] = OrderedDict()
        self._facts = 0
        self._position = NOTHING
        self._is_following = False

    async def refresh(self) -> None:
        """Hear of everything that was said about alerts until now.

        Raises:
            LogError: the log does not answer, or holds what cannot be read.
        """
        if not self._is_following:
            position = await self._log.last_position()
            if not self._is_following:  # another call may have been faster
                self._position, self._is_following = position, True
            return
        for past in await self._log.read_category("alert", after=self._position):
            # Another call may have heard of it meanwhile.
            self._position = max(self._position, past.seq)
            history = self._kept.get(past.stream)
            if history is not None and past.seq > (history[-1].seq if history else NOTHING):
                history.append(past)
                self._facts += 1

    async def prepare(self, streams: Sequence[str]) -> None:
        """Find out at once which of some alerts have no history at all, as most have when a storm begins.

        Raises:
            LogError: as `refresh`.
        """
        unknown = [stream for stream in streams if stream not in self._kept]
        if len(unknown) < UNKNOWN_MIN or not self._is_following:
            return
        position = self._position
        begun = await self._log.begun(unknown)
        if position == self._position:
            for stream in unknown:
                if stream not in begun:
                    self._kept.setdefault(stream, [])
            self._limit()

    async def load(self, stream: str) -> list[Recorded]:
        """The history of an alert as it was at the last `refresh`, or later. Not to be changed.

        Raises:
            LogError: as `refresh`.
        """
        kept = self._kept.get(stream)
        if kept is not None:
            self._kept.move_to_end(stream)
            return list(kept)
        return await self.reload(stream)

    async def reload(self, stream: str) -> list[Recorded]:
        """The history of an alert as it is now. Raises what `load` does."""
        position, was_following = self._position, self._is_following
        history = await self._log.read(stream)
        self._forget(stream)
        # What a refresh heard of in between may not be in this history, and is not told again.
        if was_following and position == self._position and len(history) <= FACTS_OF_ONE_MAX:
            self._kept[stream] = list(history)
            self._facts += len(history)
        self._limit()
        return history

    def _limit(self) -> None:
        while self._facts > FACTS_KEPT_MAX or len(self._kept) > ALERTS_KEPT_MAX:
            self._forget(next(iter(self._kept)))

    def _forget(self, stream: str) -> None:
        self._facts -= len(self._kept.pop(stream, ()))
