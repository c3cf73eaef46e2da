"""The answer to *why*: what led from the bytes received to what a channel answered, and what did not happen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from events import Recorded
from events.recorded import headline

Kind = Literal["alert", "page", "silence", "incident", "event", "receipt"]
Step = Literal[
    "received", "alert", "held", "decided", "incident", "escalation", "page", "delivery", "answer", "rule", "other"
]
"""Which part of the way a line tells of."""


class Subject(msgspec.Struct, frozen=True):
    """What is asked about."""

    kind: Kind
    id: str
    title: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One event on the way, or the receipt that it begins with."""

    step: Step
    seq: int
    """Log position; 0 for a receipt, which lies in INTAKE."""
    stream: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    headline: str
    reason: str = ""
    """Which rule or person decided it, and why, when the fact says so."""
    cause_seq: int = 0
    """The line of this answer that it follows from; 0 when that is none of them."""
    receipt_seq: int = 0
    """Position in INTAKE of the payload behind it; 0 when there is none."""
    retracted_by_seq: int = 0


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """What did not happen though somebody may have expected it."""

    what: str
    because: str
    rule: str = ""
    """What decided it: a rule, a route, a silence, a setting."""
    seq: int = 0
    """The event that says so; 0 when it is concluded from what the log does not hold."""


class RuleStep(msgspec.Struct, frozen=True):
    """One rule that was looked at, and what came of it."""

    what: str
    outcome: str
    detail: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about a firing, made again by the rules of that moment."""

    alert_key: str
    title: str
    occurrence: int
    seq: int
    """The event that says what was decided."""
    rules_seq: int
    """Position of the rule set; 0 for the built-in one."""
    recorded: str
    """What was decided then."""
    computed: str
    """What the same rules say when asked again."""
    agrees: bool
    note: str = ""
    """What could not be made again exactly, or why the two differ."""
    steps: tuple[RuleStep, ...] = ()


class ReceiptTold(msgspec.Struct, frozen=True, kw_only=True):
    """A payload as it was received, or why it cannot be shown."""

    seq: int
    trouble: str = ""
    source: str = ""
    integration: str = ""
    received_at: str = ""
    content_type: str = ""
    size_bytes: int = 0
    sha256: str = ""
    first_line: str = ""


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    subject: Subject
    answer: tuple[str, ...]
    """In a few sentences."""
    receipts: tuple[ReceiptTold, ...]
    chain: tuple[Line, ...]
    """In log order."""
    absent: tuple[Absent, ...]
    decisions: tuple[Decision, ...]
    unknown: tuple[str, ...]
    """What the log cannot tell, or this answer leaves out."""


class Read(msgspec.Struct, frozen=True):
    """An event out of the warehouse."""

    recorded: Recorded
    retracted_by_seq: int = 0

    @property
    def seq(self) -> int:
        """Its log position."""
        return self.recorded.seq

    @property
    def fact(self) -> Any:
        """What happened."""
        return self.recorded.fact


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What was read about a subject: every event that the answer may tell of, by position."""

    subject: Subject
    events: Mapping[int, Read]
    left_out: tuple[str, ...] = ()
    """What was there and was not read, in words."""

    def of(self, *kinds: type[Any]) -> list[Read]:
        """Those with facts of some classes that still stand, in log order."""
        return [
            read
            for _seq, read in sorted(self.events.items())
            if isinstance(read.fact, kinds) and not read.retracted_by_seq
        ]


_STEPS: dict[str, Step] = {
    "alert.held": "held",
    "silence.alert_held": "held",
    "inhibition.alert_held": "held",
    "alert.passed_over": "decided",
    "incident.alert_linked": "decided",
    "group.assigned": "decided",
    "page.attempted": "delivery",
    "page.sent": "delivery",
    "page.failed": "delivery",
    "page.answered": "answer",
    "incident.acknowledged": "answer",
}
_STEPS_BY_CATEGORY: dict[str, Step] = {
    "alert": "alert",
    "incident": "incident",
    "escalation": "escalation",
    "page": "page",
    "silence": "rule",
    "inhibition": "rule",
    "rules": "rule",
}


def step_of(read: Read) -> Step:
    """Which part of the way an event tells of."""
    tag = str(type(read.fact).__struct_config__.tag)
    return _STEPS.get(tag) or _STEPS_BY_CATEGORY.get(tag.partition(".")[0], "other")


def line_of(read: Read, seq_of_id: Mapping[str, int]) -> Line:
    """An event as a line of the answer."""
    event = read.recorded.event
    intake, _, position = event.causation_id.partition("-")
    return Line(
        step=step_of(read),
        seq=read.seq,
        stream=read.recorded.stream,
        happened_at=event.happened_at,
        recorded_at=read.recorded.recorded_at,
        actor=event.actor or event.source,
        headline=headline(read.recorded),
        reason=reason_of(read),
        cause_seq=seq_of_id.get(event.causation_id, 0),
        receipt_seq=int(position) if intake == "intake" and position.isdigit() else 0,
        retracted_by_seq=read.retracted_by_seq,
    )


def reason_of(read: Read) -> str:
    """``by service: severity critical is at least error``, as far as the fact names a rule and a reason."""
    rule, reason = str(getattr(read.fact, "rule", "")), str(getattr(read.fact, "reason", ""))
    route = str(getattr(read.fact, "route", ""))
    said = headline(read.recorded)
    parts = [f"route {route}" if route else "", rule if rule not in said else "", reason if reason not in said else ""]
    return ": ".join(part for part in parts if part)
