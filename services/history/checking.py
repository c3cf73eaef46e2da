"""What a snapshot may not say: each problem with its JSON path, and what to do. Pure."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import UNSET

from events import RecountError
from services.history.commands import Impact, Reached, Snapshot
from services.history.phases import MAY_FOLLOW, PHASE_AFTER

# Clocks differ a little; beyond that, nobody knows what has not happened yet.
SKEW_MAX = timedelta(minutes=5)


class BadSnapshot(RecountError):
    """A snapshot that cannot be taken over.

    Attributes:
        path: where in the snapshot, as a JSON path.
    """

    def __init__(self, path: str, problem: str, *, hint: str) -> None:
        super().__init__(problem, hint=hint)
        self.path = path


def check(snapshot: Snapshot) -> None:
    """Refuse a snapshot that contradicts itself.

    Raises:
        BadSnapshot: the first thing that is wrong.
    """
    _not_from_the_future(snapshot)
    if snapshot.milestones is not UNSET:
        _milestones(snapshot, snapshot.milestones)
    if snapshot.impact is not UNSET:
        _impact(snapshot.impact)
    if snapshot.severities is not UNSET:
        _in_order([one.at for one in snapshot.severities], "$.severities")
        last = snapshot.severities[-1].severity
        if snapshot.severity not in (UNSET, last):
            raise BadSnapshot(
                "$.severity",
                f"it is {snapshot.severity}, and `$.severities` ends with {last}",
                hint="Give one of them, or make them agree.",
            )
    if snapshot.roles is not UNSET:
        for number, held in enumerate(snapshot.roles):
            _ends_after_start(held.start, held.end, f"$.roles[{number}]")
    if snapshot.merged_into == snapshot.id:
        raise BadSnapshot("$.merged_into", "it names the incident itself", hint="Name the one that carries on.")


def steps_of(milestones: Sequence[Reached]) -> list[Reached]:
    """The milestones that move the phase."""
    return [reached for reached in milestones if reached.milestone != "notified"]


def _milestones(snapshot: Snapshot, milestones: Sequence[Reached]) -> None:
    before: Reached | None = None
    for number, reached in enumerate(milestones):
        path = f"$.milestones[{number}]"
        if (reached.earliest and reached.earliest > reached.at) or (reached.latest and reached.latest < reached.at):
            raise BadSnapshot(f"{path}.at", "it lies outside its own bounds", hint="earliest <= at <= latest.")
        if reached.milestone == "notified":
            continue
        allowed = MAY_FOLLOW[before.milestone if before else None]  # type: ignore[index]
        if reached.milestone not in allowed:
            raise BadSnapshot(
                f"{path}.milestone",
                f"{reached.milestone} cannot {f'follow {before.milestone}' if before else 'come first'}",
                hint=f"There may come: {', '.join(sorted(allowed)) or 'nothing'}. docs/import.md shows the phases.",
            )
        if before and reached.at < before.at:
            raise BadSnapshot(
                f"{path}.at",
                f"{reached.milestone} at {reached.at.isoformat()} lies before {before.milestone} at "
                f"{before.at.isoformat()}",
                hint="Give the milestones in order of time.",
            )
        before = reached
    if before is None:
        raise BadSnapshot(
            "$.milestones", "none of them begins the incident", hint="Say when it was detected, or declared."
        )
    phase = PHASE_AFTER[before.milestone]  # type: ignore[index]
    if snapshot.phase not in (UNSET, phase):
        raise BadSnapshot(
            "$.phase",
            f"it is {snapshot.phase}, and the last milestone, {before.milestone}, makes it {phase}",
            hint="Leave the phase out, or give the milestone that leads to it.",
        )


def _impact(stretches: Sequence[Impact]) -> None:
    by_scope: dict[str, Impact] = {}
    for number, stretch in enumerate(stretches):
        path = f"$.impact[{number}]"
        _ends_after_start(stretch.start, stretch.end, path)
        times = [stretch.start, *(change.at for change in stretch.changes), *([stretch.end] if stretch.end else [])]
        _in_order(times, f"{path}.changes")
        before = by_scope.get(stretch.scope)
        if before and (before.end is None or before.end > stretch.start):
            raise BadSnapshot(
                f"{path}.start",
                f"the impact on {stretch.scope} before it has not ended by then",
                hint="Give stretches of one scope one after the other; a change of level belongs into `changes`.",
            )
        by_scope[stretch.scope] = stretch


def _not_from_the_future(snapshot: Snapshot) -> None:
    for path, moment in _moments(snapshot):
        if moment > snapshot.known_at + SKEW_MAX:
            raise BadSnapshot(
                path,
                f"{moment.isoformat()} lies after `$.known_at`, {snapshot.known_at.isoformat()}",
                hint="Nobody knows what has not happened yet: correct one of them.",
            )


def _moments(snapshot: Snapshot) -> Iterator[tuple[str, datetime]]:
    for number, reached in enumerate(snapshot.milestones or ()):
        yield f"$.milestones[{number}].at", reached.at
    for number, stretch in enumerate(snapshot.impact or ()):
        yield f"$.impact[{number}].start", stretch.start
        if stretch.end:
            yield f"$.impact[{number}].end", stretch.end
        for place, change in enumerate(stretch.changes):
            yield f"$.impact[{number}].changes[{place}].at", change.at
    for number, update in enumerate(snapshot.updates or ()):
        yield f"$.updates[{number}].at", update.at
    for number, acknowledgement in enumerate(snapshot.acknowledgements or ()):
        yield f"$.acknowledgements[{number}].at", acknowledgement.at
    for number, held in enumerate(snapshot.roles or ()):
        yield f"$.roles[{number}].start", held.start
        if held.end:
            yield f"$.roles[{number}].end", held.end
    for number, severity in enumerate(snapshot.severities or ()):
        yield f"$.severities[{number}].at", severity.at
    if snapshot.determined_at:
        yield "$.determined_at", snapshot.determined_at
    if snapshot.merged_at:
        yield "$.merged_at", snapshot.merged_at


def _ends_after_start(start: datetime, end: datetime | None, path: str) -> None:
    if end is not None and end < start:
        raise BadSnapshot(f"{path}.end", f"{end.isoformat()} lies before the start", hint="Correct one of them.")


def _in_order(moments: Sequence[datetime], path: str) -> None:
    if any(later < earlier for earlier, later in itertools.pairwise(moments)):
        raise BadSnapshot(path, "the times are not in order", hint="Give the oldest first.")
