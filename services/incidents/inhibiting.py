"""Which alerts hold others back: what each stream ``inhibition.<key>`` says, and what must be said there.

An alert that fires and holds others back says so in the streams of its keys, and that it has cleared; an alert that may
be held back looks there. Whoever is held back says so there too, checked by the stream's version, so that nobody is
held back by an alert of which it was just said that it cleared.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from events import NOTHING, EventLog, Fact, Recorded
from events.alert import AlertFired, AlertUpdated
from events.inhibition import InhibitionHeldAlert, InhibitionSourceCleared, InhibitionSourceFired
from events.subjects import stream_of
from services.incidents.grouping import Firing, firing_at
from services.rules.ruleset import RuleSet
from services.rules.verdict import Inhibited, inhibition_keys

# A meeting place takes some hundred bytes for each alert that was held back there.
CACHED_KEYS_MAX = 2_000


class Meeting(msgspec.Struct, frozen=True):
    """One stream ``inhibition.<key>``."""

    key: str
    version: int = NOTHING
    sources: dict[str, tuple[int, str]] = {}
    """Alerts that fire and hold others back: occurrence and rule."""
    held: dict[str, int] = {}
    """Alerts that were held back here, with their occurrence."""

    @property
    def stream(self) -> str:
        """The stream it was folded from."""
        return stream_of("inhibition", self.key)

    def after(self, fact: Fact, seq: int) -> "Meeting":
        """The same after one more fact."""
        match fact:
            case InhibitionSourceFired(alert_key=key, occurrence=occurrence, rule=rule):
                return Meeting(self.key, seq, {**self.sources, key: (occurrence, rule)}, self.held)
            case InhibitionSourceCleared(alert_key=key):
                left = {other: told for other, told in self.sources.items() if other != key}
                return Meeting(self.key, seq, left, self.held)
            case InhibitionHeldAlert(alert_key=key, occurrence=occurrence):
                return Meeting(self.key, seq, self.sources, {**self.held, key: occurrence})
            case _:
                return Meeting(self.key, seq, self.sources, self.held)


class Meetings:
    """Loads them, and keeps the last used; each load reads what was appended since."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[str, Meeting] = OrderedDict()

    async def load(self, key: str) -> Meeting:
        """The meeting place as it is now."""
        meeting = self._kept.get(key, Meeting(key))
        for past in await self._log.read(meeting.stream, after=meeting.version):
            meeting = meeting.after(past.fact, past.seq)
        self._kept[key] = meeting
        self._kept.move_to_end(key)
        while len(self._kept) > CACHED_KEYS_MAX:
            self._kept.popitem(last=False)
        return meeting


class Claim(msgspec.Struct, frozen=True):
    """Whether an alert holds others back at a key, as its own stream says."""

    key: str
    rule: str
    alert_key: str
    occurrence: int
    fires: bool


def claims(rules: RuleSet, alert_key: str, history: Sequence[Recorded]) -> tuple[Claim, ...]:
    """What an alert has to say, or to take back, at each key where it ever held others back in this history: its
    labels and its severity may have changed since."""
    if not rules.inhibit or not history:
        return ()
    found: dict[str, Claim] = {}
    for past in history:
        if isinstance(past.fact, AlertFired | AlertUpdated):
            then = firing_at(alert_key, [each for each in history if each.seq <= past.seq], past.seq)
            if then is not None:
                found |= {each.key: each for each in _claims_of(rules, then, fires=False)}
    now = firing_at(alert_key, history, history[-1].seq)
    if now is not None and not now.is_over:
        found |= {each.key: each for each in _claims_of(rules, now, fires=True)}
    return tuple(found.values())


def fact_of(claim: Claim, meeting: Meeting) -> InhibitionSourceFired | InhibitionSourceCleared | None:
    """What there is to say at a meeting place; None when it says so already."""
    known = meeting.sources.get(claim.alert_key)
    if claim.fires and (known is None or known[0] < claim.occurrence):
        return InhibitionSourceFired(alert_key=claim.alert_key, occurrence=claim.occurrence, rule=claim.rule)
    if not claim.fires and known is not None:
        return InhibitionSourceCleared(alert_key=claim.alert_key, occurrence=known[0])
    return None


def inhibited_by(keys: Iterable[tuple[str, Meeting]], alert_key: str) -> tuple[Inhibited, ...]:
    """Who holds an alert back, of those that its keys name by rule."""
    return tuple(
        Inhibited(rule, source)
        for rule, meeting in keys
        for source, (_occurrence, its_rule) in meeting.sources.items()
        if source != alert_key and its_rule == rule
    )


def _claims_of(rules: RuleSet, firing: Firing, *, fires: bool) -> list[Claim]:
    return [
        Claim(each.key, each.rule, firing.alert_key, firing.occurrence, fires)
        for each in inhibition_keys(rules, firing.labels_to_match())
        if each.is_source
    ]
