"""Given, view, shows for projections: what happened, which view is asked, which rows it shows.

    given(incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1"), by=ADA))
        .view("incidents").shows({"incident_id": "INC-42", "phase": "active"})

Events happen on one morning, a minute apart unless they say when, and are recorded two seconds later. Another day is
said as well: ``+14 09:05``.
"""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from events import Event, Fact, Stored, encode
from projections.lens import AsOf
from projections.warehouse import Warehouse

ADA, BOB, GRACE = "per-ada4k7m2nq", "per-bob9c2d4f6", "per-grace5h8j3"

MORNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RECORDING_DELAY = timedelta(seconds=2)


class Told(msgspec.Struct, frozen=True):
    """A fact in a stream, before it has a place in the log."""

    stream: str
    fact: Fact
    at: str
    by: str
    between: tuple[str, str] | None = None
    """Bounds of ``at``, when it is not known precisely."""


def incident(
    incident_id: str, *facts: Fact, at: str = "", by: str = ADA, between: tuple[str, str] | None = None
) -> tuple[Told, ...]:
    """Facts of an incident, in order, by a person."""
    return tuple(Told(f"incident.{incident_id}", fact, at, by, between) for fact in facts)


def alert(alert_key: str, *facts: Fact, at: str = "") -> tuple[Told, ...]:
    """Facts of an alert, said by intake."""
    return tuple(Told(f"alert.{alert_key}", fact, at, "") for fact in facts)


def page(page_id: str, *facts: Fact, at: str = "", by: str = "") -> tuple[Told, ...]:
    """Facts of a page, said by a service unless a person answered."""
    return tuple(Told(f"page.{page_id}", fact, at, by) for fact in facts)


def stream(name: str, *facts: Fact, at: str = "", by: str = "") -> tuple[Told, ...]:
    """Facts of any other stream, such as ``rotation.primary``."""
    return tuple(Told(name, fact, at, by) for fact in facts)


def moment(clock_time: str) -> datetime:
    """``09:05`` of that morning, or ``+14 09:05`` of a fortnight later, as SQL shows it: UTC, without a zone."""
    return _moment(clock_time).replace(tzinfo=None)


def log_of(*told: Sequence[Told]) -> list[Stored]:
    """The events as they lie in the log, from position 1."""
    stored = []
    for seq, each in enumerate((each for group in told for each in group), 1):
        happened_at = _moment(each.at) if each.at else MORNING + timedelta(minutes=seq)
        earliest, latest = map(_moment, each.between) if each.between else (None, None)
        event = Event(
            id=f"event-{seq}",
            fact=each.fact,
            happened_at=happened_at,
            source="recount/test",
            actor=each.by,
            happened_earliest=earliest,
            happened_latest=latest,
        )
        subject, body = encode(each.stream, event)
        recorded_at = max(happened_at, MORNING + timedelta(minutes=seq)) + RECORDING_DELAY
        stored.append(Stored(seq, subject, recorded_at, body))
    return stored


def empty_warehouse(folder: Path | None = None, *, threads: int = 2) -> Warehouse:
    """A new warehouse in a file. Faster than opening one in memory, because its views are copied with the file."""
    folder = folder or Path(tempfile.mkdtemp(dir=_template().parent))
    path = folder / "recount.duckdb"
    shutil.copyfile(_template(), path)
    return Warehouse.open(path, threads=threads)


class Given(msgspec.Struct, frozen=True):
    """A history."""

    log: list[Stored]

    def view(self, name: str, *, as_of: AsOf = None) -> "Shown":
        """What a view shows at the end of the history, as of an earlier position, or through another lens."""
        with empty_warehouse() as warehouse:
            warehouse.apply(self.log)
            table = warehouse.ask(f'select * from "{name}"', as_of=as_of)
            return Shown(name, table.dicts())


class Shown(msgspec.Struct, frozen=True):
    """The rows of a view."""

    view: str
    rows: list[dict[str, Any]]

    def shows(self, *expected: dict[str, Any]) -> None:
        """Exactly these rows, in any order; each is compared on the columns that it names."""
        left = list(self.rows)
        missing = []
        # The most particular first, so that a vague one does not take the row of another.
        for wanted in sorted(expected, key=len, reverse=True):
            found = next((row for row in left if _agree(row, wanted)), None)
            if found is None:
                missing.append(wanted)
            else:
                left.remove(found)
        assert not missing, f"{self.view} does not show {missing}; it shows {left}"
        assert not left, f"{self.view} also shows {left}"

    def shows_nothing(self) -> None:
        """No row at all."""
        self.shows()


def given(*told: Sequence[Told]) -> Given:
    """What happened, in the order of the log."""
    return Given(log_of(*told))


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="recount-spec-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.duckdb"
    Warehouse.open(path).close()
    return path


def _agree(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(row[name] == value for name, value in wanted.items())


def _moment(clock_time: str) -> datetime:
    days, _, time_of_day = clock_time.rpartition(" ")
    hour, minute = time_of_day.split(":")
    return MORNING.replace(hour=int(hour), minute=int(minute)) + timedelta(days=int(days or 0))
