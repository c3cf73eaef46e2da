"""What was read about a subject, looked through: which alerts and incidents it is about, and how facts are worded."""

from collections.abc import Iterable
from datetime import datetime

from events.alert import AlertCleared, AlertFired
from events.subjects import split
from services.web.why_told import Line, Material, Read, line_of

# A list that is longer than this is read by nobody; SQL over `causes` gives it all.
LINES_MAX = 200


def chain_of(material: Material) -> tuple[Line, ...]:
    """The events as lines, in log order, each with the line that it follows from."""
    seq_of_id = {read.recorded.event.id: seq for seq, read in sorted(material.events.items())}
    lines = [line_of(read, seq_of_id) for _seq, read in sorted(material.events.items())]
    return tuple(lines[-LINES_MAX:])


def alert_keys(material: Material) -> list[str]:
    """The alerts whose firings were read; only the one that is asked about, when it is one."""
    keys = [split(read.recorded.stream)[1] for read in material.of(AlertFired)]
    if material.subject.kind == "alert":
        return [material.subject.id]
    return list(dict.fromkeys(keys))


def incident_ids(material: Material) -> list[str]:
    """The incidents that were read, in the order of their first event."""
    streams = [read.recorded.stream for _seq, read in sorted(material.events.items())]
    found = [split(stream)[1] for stream in streams if stream.startswith(("incident.", "escalation."))]
    return list(dict.fromkeys(found))


def last_firing(material: Material, key: str) -> Read | None:
    """The newest firing of an alert that was read."""
    fired = [read for read in material.of(AlertFired) if read.recorded.stream == f"alert.{key}"]
    return fired[-1] if fired else None


def cleared_after(material: Material, stream: str, seq: int) -> Read | None:
    """The first clearing of an alert after a position."""
    cleared: Iterable[Read] = material.of(AlertCleared)
    return next((read for read in cleared if read.recorded.stream == stream and read.seq > seq), None)


def is_of(read: Read, key: str, occurrence: int) -> bool:
    """Whether a fact is about one occurrence of one alert."""
    return bool(read.fact.alert_key == key and read.fact.occurrence == occurrence)


def rule_of(read: Read) -> str:
    """Which route, rule and rule set a fact names."""
    parts = [
        f"route {read.fact.route}" if getattr(read.fact, "route", "") else "",
        str(getattr(read.fact, "rule", "") or getattr(read.fact, "held_by", "")),
        f"rule set #{read.fact.rules_seq}" if getattr(read.fact, "rules_seq", 0) else "built-in rule set",
    ]
    return ", ".join(part for part in parts if part)


def clock(moment: datetime) -> str:
    """A time in a sentence."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def count(number: int, noun: str) -> str:
    """``1 page``, ``1,204 pages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
