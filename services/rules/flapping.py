"""Flapping: an alert that goes on and off again and again wakes somebody once it has made up its mind."""

from collections.abc import Sequence
from datetime import datetime

from services.rules.ruleset import Flapping


def flaps_until(rule: Flapping | None, changes: Sequence[datetime], moment: datetime) -> datetime | None:
    """Until when an alert is held back for flapping, when it stays as it is from now on; None when it does not flap.

    It begins to flap with the change that makes ``changes`` of them lie ``within`` one stretch, and has settled once
    it has not changed for ``settle``.

    Args:
        rule: None when nothing counts as flapping.
        changes: its firings and clearings up to now, in order.
        moment: now.
    """
    if rule is None:
        return None
    past = sorted(change for change in changes if change <= moment)
    if len(past) < rule.changes:
        return None
    settled_at = past[-1] + rule.settle
    return settled_at if moment < settled_at and _is_flapping(rule, past) else None


def _is_flapping(rule: Flapping, past: Sequence[datetime]) -> bool:
    """Whether it flaps with the last change: by then, or from before and never quiet for long enough since."""
    for last in range(len(past) - 1, rule.changes - 2, -1):
        if past[last] - past[last - rule.changes + 1] <= rule.within:
            return True
        if past[last] - past[last - 1] >= rule.settle:
            return False
    return False
