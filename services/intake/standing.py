"""What stands now, for senders' clients that ask: alerts that fire, and silences. Folded from the log when asked.

Nothing is read before somebody asks; then each question reads what was appended since the last one. Only what stands
is kept, so memory follows the alerts that fire and not the log.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec

from events import EventLog
from events.alert import (
    AlertAcknowledged,
    AlertCleared,
    AlertClearedUnseen,
    AlertFired,
    AlertHeld,
    AlertPassedOver,
    AlertUpdated,
)
from events.errors import LogUnavailable
from events.incident import AlertLinked
from events.recorded import Recorded, Stored, decode
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from events.subjects import ROOT, split

# How long one question may read. Whoever asks gives up after 10 to 30 seconds; the next question goes on from there.
READ_MAX_S = 5.0
# A silence that is over is shown for as long, which is Alertmanager's own default of ``--data.retention``.
SILENCE_KEPT = timedelta(hours=120)

_ABOUT = (f"{ROOT}.alert.", f"{ROOT}.silence.")
_LINKED = ".alert_linked"


class StandingAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that fires."""

    alert_key: str
    fired: AlertFired
    fired_at: datetime
    updated_at: datetime
    is_acknowledged: bool = False
    held: AlertHeld | None = None
    """What holds it back."""


class StandingSilence(msgspec.Struct, frozen=True, kw_only=True):
    """A silence, over or not."""

    silence_id: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    updated_at: datetime


class Standing:
    """Alerts that fire, and silences, as of a position of the log.

    Args:
        log: where both live.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._position = 0
        self._turn = asyncio.Lock()
        self.alerts: dict[str, StandingAlert] = {}
        """By alert key."""
        self.silences: dict[str, StandingSilence] = {}
        """By id."""

    async def catch_up(self) -> None:
        """Read what was appended.

        Raises:
            LogUnavailable: no answer, or more than can be read while somebody waits; ask again.
        """
        async with self._turn:
            through = await self._log.last_position()
            give_up = asyncio.get_running_loop().time() + READ_MAX_S
            async for batch in self._log.bulk(after=self._position, through=through):
                for stored in batch:
                    if _is_wanted(stored):
                        self._take(decode(stored))
                    self._position = stored.seq
                if asyncio.get_running_loop().time() > give_up:
                    raise LogUnavailable(f"read {self._position} of {through} events so far; ask again")
            self._position = max(self._position, through)

    def _take(self, recorded: Recorded) -> None:
        category, identifier = split(recorded.stream)
        if category == "alert":
            self._take_alert(identifier, recorded)
        elif category == "silence":
            self._take_silence(identifier, recorded)
        elif isinstance(recorded.fact, AlertLinked):
            self._change(recorded.fact.alert_key, held=None)

    def _take_alert(self, alert_key: str, recorded: Recorded) -> None:
        match recorded.fact:
            case AlertFired() as fired:
                self.alerts[alert_key] = StandingAlert(
                    alert_key=alert_key,
                    fired=fired,
                    fired_at=recorded.happened_at,
                    updated_at=recorded.recorded_at,
                )
            case AlertUpdated() as updated:
                standing = self.alerts.get(alert_key)
                if standing is not None:
                    fired = msgspec.structs.replace(
                        standing.fired,
                        title=updated.title,
                        severity=updated.severity,
                        annotations=updated.annotations,
                    )
                    self._change(alert_key, fired=fired, updated_at=recorded.recorded_at)
            case AlertAcknowledged():
                self._change(alert_key, is_acknowledged=True, updated_at=recorded.recorded_at)
            case AlertHeld() as held:
                self._change(alert_key, held=held)
            case AlertPassedOver():
                self._change(alert_key, held=None)
            case AlertCleared() | AlertClearedUnseen():
                self.alerts.pop(alert_key, None)
            case _:
                pass

    def _change(self, alert_key: str, **fields: object) -> None:
        standing = self.alerts.get(alert_key)
        if standing is not None:
            self.alerts[alert_key] = msgspec.structs.replace(standing, **fields)

    def _take_silence(self, silence_id: str, recorded: Recorded) -> None:
        known = self.silences.get(silence_id)
        match recorded.fact:
            case SilenceCreated() as created:
                self.silences[silence_id] = StandingSilence(
                    silence_id=silence_id,
                    matchers=created.matchers,
                    starts_at=created.starts_at,
                    ends_at=created.ends_at,
                    reason=created.reason,
                    author=recorded.event.actor,
                    updated_at=recorded.happened_at,
                )
            case SilenceChanged() as changed if known is not None:
                self.silences[silence_id] = msgspec.structs.replace(
                    known,
                    starts_at=changed.starts_at,
                    ends_at=changed.ends_at,
                    reason=changed.reason,
                    updated_at=recorded.happened_at,
                )
            case SilenceEnded() if known is not None:
                self.silences[silence_id] = msgspec.structs.replace(
                    known, ends_at=min(known.ends_at, recorded.happened_at), updated_at=recorded.happened_at
                )
            case _:
                pass

    def silences_at(self, moment: datetime) -> list[StandingSilence]:
        """Silences that are not over for longer than `SILENCE_KEPT`, the one that ends first at the front."""
        for silence in list(self.silences.values()):
            if silence.ends_at + SILENCE_KEPT < moment:
                del self.silences[silence.silence_id]
        return sorted(self.silences.values(), key=lambda silence: (silence.ends_at, silence.silence_id))


def _is_wanted(stored: Stored) -> bool:
    return stored.subject.startswith(_ABOUT) or stored.subject.endswith(_LINKED)
