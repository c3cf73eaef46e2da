"""Text into Markdown. Whatever a sender or a person typed is shown as typed and can format nothing.

The template prints through `finalized`, so a value is escaped unless it was made here: a citation, code, a dash.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

# Characters that CommonMark 0.31 or GitHub's tables give a meaning inside a line.
_ACTIVE = re.compile(r"([\\`*_\[\]|~$])")
# Those that give a line a meaning when they begin it: headings, lists, rules, quotes.
_LEADING = re.compile(r"^([#+=>-])")
_LEADING_NUMBER = re.compile(r"^([0-9]{1,9})([.)])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+=,-]*")


class Markdown(str):
    """Text that is Markdown already."""


NOTHING_SAID = Markdown("–")


def finalized(value: object) -> str:
    """What the template prints for a value: Markdown as it is, times in UTC, everything else escaped."""
    match value:
        case Markdown():
            return value
        case None | "":
            return NOTHING_SAID
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return escaped(str(value))


def escaped(text: str) -> Markdown:
    """Text as one line of Markdown in which nothing formats, links or ends the line.

    Control and direction-changing characters are left out: the latter can make a line read as another one.
    """
    visible = "".join(
        character for character in text if unicodedata.category(character) not in ("Cc", "Cf") or character.isspace()
    )
    line = " ".join(visible.split())
    for character, entity in _ENTITIES.items():
        line = line.replace(character, entity)
    line = _ACTIVE.sub(r"\\\1", line)
    line = _LEADING.sub(r"\\\1", line)
    return Markdown(_LEADING_NUMBER.sub(r"\1\\\2", line))


def struck(text: str) -> Markdown:
    """Text that is taken back, struck through."""
    return Markdown(f"~~{escaped(text)}~~")


def between(moment: datetime, earliest: datetime | None, latest: datetime | None) -> Markdown:
    """A time with its bounds, when it is not known precisely: ``2026-01-05 13:50:00Z (13:40:00–14:05:00)``."""
    at = finalized(moment)
    if earliest is None and latest is None:
        return Markdown(at)
    bounds = (earliest or moment, latest or moment)
    if all(bound.date() == moment.date() for bound in bounds):
        return Markdown(f"{at} ({'–'.join(f'{bound:%H:%M:%S}' for bound in bounds)})")
    return Markdown(f"{at} ({' – '.join(map(finalized, bounds))})")


def code(text: str) -> Markdown:
    """Plain text as code; what is not plain is escaped instead, because code cannot hold every character."""
    return Markdown(f"`{text}`") if _PLAIN.fullmatch(text) else escaped(text)


def cited(positions: Iterable[int | None]) -> Markdown:
    """Where the log says so: ``(#1042, #1044)``, each position once, in order."""
    found = sorted({position for position in positions if position is not None})
    return Markdown(f"({', '.join(f'#{position}' for position in found)})")


def duration(seconds: float | int) -> str:
    """A duration in whole seconds: ``4 h 12 min 7 s``, ``-90 s`` as ``-1 min 30 s``."""
    rest = abs(int(seconds))
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return ("-" if seconds < 0 else "") + " ".join(parts or ["0 s"])
