"""Hold an alert back: said on the alert, and on the silence or at the meeting place of what holds it back.

A hold lasts until what holds it back ends. That is another event (a silence ended, an alert cleared, new rules), or a
moment that a durable timer tells: one timer for each silence, however many alerts it holds, and one for each alert that
is held back for another reason.
"""

from datetime import datetime

from events import EventLog
from events.alert import AlertHeld
from events.ids import key_of
from events.inhibition import InhibitionHeldAlert
from events.silence import SilenceHeldAlert
from events.subjects import stream_of
from events.timers import Timer
from services.incidents.draft import Draft
from services.incidents.grouping import Ruling
from services.incidents.judging import Judged
from services.incidents.looking import HOLD_PURPOSE, SILENCE_PURPOSE
from services.incidents.saying import said
from services.incidents.standing import Standing
from services.rules.verdict import Hold, inhibition_keys


class Holding:
    """Adds holds to drafts.

    Args:
        log: tells the versions of silences.
        standing: the silences.
    """

    def __init__(self, log: EventLog, standing: Standing) -> None:
        self._log = log
        self._standing = standing

    async def hold(self, draft: Draft, judged: Judged, ruling: Ruling, hold: Hold, now: datetime) -> bool:
        """Say that an alert is held back, unless that was the last that was said of it. False when the silence that
        was to hold it back holds no longer."""
        firing = judged.firing
        fact = AlertHeld(
            occurrence=firing.occurrence,
            because=hold.because,
            held_by=hold.held_by,
            holder_alert_key=hold.holder_alert_key,
            until_at=hold.until_at,
            route=ruling.verdict.route,
            rules_seq=ruling.rules_seq,
        )
        if firing.held is not None and _same(firing.held, fact):
            return True
        once = str(judged.version)
        if hold.because == "silenced":
            if not await self._is_current(draft, hold.held_by):
                return False
            silence = SilenceHeldAlert(alert_key=firing.alert_key, occurrence=firing.occurrence)
            stream = stream_of("silence", hold.held_by)
            event = said(firing, f"silenced {hold.held_by}", silence, now, about="", once=once)
            draft.say(stream, draft.silences[hold.held_by], event)
        elif hold.because == "inhibited":
            meeting = next(
                draft.meetings[each.key]
                for each in inhibition_keys(self._standing.rules, firing.labels_to_match())
                if not each.is_source
                and each.rule == hold.held_by
                and hold.holder_alert_key in draft.meetings[each.key].sources
            )
            inhibited = InhibitionHeldAlert(
                alert_key=firing.alert_key,
                occurrence=firing.occurrence,
                source_alert_key=hold.holder_alert_key,
                rule=hold.held_by,
            )
            event = said(firing, f"inhibited {meeting.key}", inhibited, now, about="", once=once)
            draft.say(meeting.stream, meeting.version, event)
        if hold.until_at is not None and not firing.is_over:
            draft.set(_timer(judged, hold, hold.until_at))
        draft.say(judged.stream, judged.version, said(firing, "held", fact, now, about="", once=once))
        return True

    async def _is_current(self, draft: Draft, silence_id: str) -> bool:
        """Whether a silence still is as it was when the verdict was asked for; its version is in the draft then."""
        if silence_id in draft.silences:
            return True
        before = self._standing.silence(silence_id)
        last = await self._log.last(stream_of("silence", silence_id))
        # Whatever had been said of it by that version is heard now.
        await self._standing.refresh()
        if last is None or self._standing.silence(silence_id) != before:
            return False
        draft.silences[silence_id] = last.seq
        return True


def silence_timer(silence_id: str, ends_at: datetime) -> Timer:
    """Tells when a silence runs out."""
    return Timer(
        id=f"silence-{key_of(silence_id)}",
        due_at=ends_at,
        purpose=SILENCE_PURPOSE,
        about=stream_of("silence", silence_id),
    )


def _timer(judged: Judged, hold: Hold, until_at: datetime) -> Timer:
    if hold.because == "silenced":
        return silence_timer(hold.held_by, until_at)
    return Timer(
        id=f"hold-{judged.firing.alert_key}",
        due_at=until_at,
        purpose=HOLD_PURPOSE,
        about=judged.stream,
        token=f"occurrence={judged.firing.occurrence}",
    )


def _same(before: AlertHeld, now: AlertHeld) -> bool:
    """Whether an alert is held back by the same thing as before. A silence that lasts longer is the same silence."""
    if (before.because, before.held_by, before.holder_alert_key) != (now.because, now.held_by, now.holder_alert_key):
        return False
    return now.because in ("silenced", "inhibited") or before.until_at == now.until_at
