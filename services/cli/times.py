"""How the command line writes times: always UTC, because those who compare notes sit in several zones."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def parsed(text: str | None) -> datetime | None:
    """A time of the API; None stays None."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def short_time(text: str | None) -> str:
    """A time for a table: ``2026-11-24 12:00:00``, empty for none."""
    moment = parsed(text)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def bounded_time(row: Mapping[str, Any]) -> str:
    """A time with its bounds, when it is not known precisely: ``2026-11-24 12:00:00 (11:55:00–12:10:00)``."""
    at, earliest, latest = (parsed(row.get(name)) for name in ("happened_at", "earliest", "latest"))
    if at is None or (earliest is None and latest is None):
        return short_time(row["happened_at"])
    bounds = "–".join(_beside(bound or at, at) for bound in (earliest, latest))
    return f"{at:%Y-%m-%d %H:%M:%S} ({bounds})"


def _beside(moment: datetime, other: datetime) -> str:
    return f"{moment:%H:%M:%S}" if moment.date() == other.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """A duration for people: ``42 s``, ``3 min 5 s``, ``2 h 4 min``, ``3 d 2 h``."""
    whole = round(seconds)
    sign, whole = ("-" if whole < 0 else ""), abs(whole)
    for unit, size, below, below_size in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // below_size
            return f"{sign}{whole // size} {unit}" + (f" {rest} {below}" if rest else "")
    return f"{sign}{whole} s"
