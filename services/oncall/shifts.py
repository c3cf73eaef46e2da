"""Which hand-overs took effect and are not in the log yet: pure, folded from a rotation's own facts.

SQL cannot compute a calendar, so each shift is recorded when it begins and when it ends. A service that was away
records on its return what took effect meanwhile, each with the time at which it did, under the configuration of then.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from events import Recorded
from events.oncall import RotationConfigured, RotationFact, ShiftEnded, ShiftStarted
from services.oncall.schedule import next_change, who_is_on_call

# A daily rotation that was away for half a year still catches up in one append; a longer absence takes several.
CHANGES_AT_ONCE_MAX = 400


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """A rotation as far as its facts tell; the defaults are one that was never configured."""

    version: int = 0
    """Log position of the last fact."""
    configurations: tuple[tuple[datetime, RotationConfigured], ...] = ()
    """The one in force at `recorded_until`, and those after it, each with the time from which it is in force."""
    on_duty: ShiftStarted | None = None
    """The shift that was begun in the log and not ended."""
    recorded_until: datetime | None = None
    """Every hand-over up to this time is in the log."""

    @property
    def latest(self) -> RotationConfigured | None:
        """The newest configuration."""
        return self.configurations[-1][1] if self.configurations else None


def rotation_of(history: Iterable[Recorded], start: Rotation | None = None) -> Rotation:
    """Fold the facts of one rotation, on from an earlier fold of it if there is one."""
    rotation = start or Rotation()
    for recorded in history:
        at = recorded.happened_at
        match recorded.fact:
            case RotationConfigured() as fact:
                rotation = msgspec.structs.replace(
                    rotation,
                    configurations=(*rotation.configurations, (at, fact)),
                    recorded_until=rotation.recorded_until or at,
                )
            case ShiftStarted() as fact:
                rotation = msgspec.structs.replace(_until(rotation, at), on_duty=fact)
            case ShiftEnded():
                rotation = msgspec.structs.replace(_until(rotation, at), on_duty=None)
        rotation = msgspec.structs.replace(rotation, version=recorded.seq)
    return rotation


def owed(rotation: Rotation, now: datetime) -> tuple[tuple[datetime, RotationFact], ...]:
    """The facts that are missing, in order, with the time at which each happened; at most `CHANGES_AT_ONCE_MAX`."""
    missing: list[tuple[datetime, RotationFact]] = []
    moment, on_duty = rotation.recorded_until, rotation.on_duty
    while moment is not None and moment <= now and len(missing) < CHANGES_AT_ONCE_MAX:
        shift = who_is_on_call(_in_force(rotation, moment), moment)
        begins = ShiftStarted(person_id=shift.person_id, ends_at=shift.ends_at) if shift else None
        if begins != on_duty:
            if on_duty:
                missing.append((moment, ShiftEnded(person_id=on_duty.person_id)))
            if begins:
                missing.append((moment, begins))
        on_duty, moment = begins, _next_moment(rotation, moment)
    return tuple(missing)


def wakes_at(rotation: Rotation, now: datetime) -> datetime | None:
    """The next hand-over after now; None when there will be none."""
    return next_change(rotation.latest, now) if rotation.latest else None


def _until(rotation: Rotation, moment: datetime) -> Rotation:
    later = tuple(pair for pair in rotation.configurations if pair[0] > moment)
    in_force = rotation.configurations[len(rotation.configurations) - len(later) - 1 :][:1]
    return msgspec.structs.replace(
        rotation, recorded_until=moment, configurations=(*in_force, *later) if len(later) else in_force
    )


def _in_force(rotation: Rotation, moment: datetime) -> RotationConfigured:
    begun = [configured for at, configured in rotation.configurations if at <= moment]
    return begun[-1] if begun else rotation.configurations[0][1]


def _next_moment(rotation: Rotation, moment: datetime) -> datetime | None:
    candidates = [at for at, _configured in rotation.configurations if at > moment]
    hand_over = next_change(_in_force(rotation, moment), moment)
    return min([*candidates, hand_over] if hand_over else candidates, default=None)
