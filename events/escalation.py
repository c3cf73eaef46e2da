"""Facts about escalations: climbing a policy, level by level, until somebody answers.

Stream ``escalation.<incident_id>``, one run after another (a reopened incident starts a new run). The policy is frozen
into the first fact of a run, so a change of configuration never alters an escalation that has begun.
"""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from events.fact import Fact


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One level of a policy: who is asked, and how long they have."""

    targets: tuple[str, ...]
    """``rotation.<id>`` (whoever is on call) or ``person.<id>``."""
    answer_within_s: int


class EscalationStarted(Fact, frozen=True, tag="escalation.started"):
    """An incident needs somebody: a new run of a policy, as the policy is now."""

    headline: ClassVar[str] = "escalation started by policy {policy_id}"
    run: int
    policy_id: str
    levels: tuple[Level, ...]
    repeat: int = 0
    """How many more times the whole policy is climbed when nobody answers."""


class LevelReached(Fact, frozen=True, tag="escalation.level_reached"):
    """A level was asked. Exactly one such fact exists for each run, round and level."""

    headline: ClassVar[str] = "escalated to level {level}"
    run: int
    round: int
    level: int
    """From 1."""
    page_ids: tuple[str, ...]
    next_at: datetime
    """When the next level is asked, unless somebody answers first."""


class EscalationStopped(Fact, frozen=True, tag="escalation.stopped"):
    """Nobody needs to be asked any more."""

    headline: ClassVar[str] = "escalation stopped: {reason}"
    run: int
    reason: Literal["acknowledged", "resolved", "dismissed", "merged"]


class EscalationExhausted(Fact, frozen=True, tag="escalation.exhausted"):
    """There is nobody left to ask: every level was asked, every round, or there is none."""

    headline: ClassVar[str] = "{because}"
    run: int
    because: str = "nobody answered; the policy has no further level"
    """Why there is nobody left."""


EscalationFact = EscalationStarted | LevelReached | EscalationStopped | EscalationExhausted
