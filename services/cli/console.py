"""What every verb prints with: tables for people, JSON for programs, errors with a hint."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from events import RecountError

DATA_DEFAULT = Path("data")

# A time or an id is not broken over lines; long words are.
SHORT_CELL = 20

DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", envvar="RECOUNT_DATA", help="The data folder of the platform.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def show_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
    sys.stdout.flush()


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str = "Nothing to show.") -> None:
    """Print rows for people; ``empty`` is said when there are none."""
    found = [[_cell(value) for value in row] for row in rows]
    if not found:
        say(empty)
        return
    (_show_grid if out.is_terminal else _show_lines)(columns, found)


def _show_grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal; long texts go over several lines, times and ids do not while there is room."""
    widths = _widths(columns, rows)
    short = [width for width in widths if width <= SHORT_CELL]
    keeps_short = sum(short) + 2 * len(widths) + SHORT_CELL <= out.width
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, overflow="fold", no_wrap=keeps_short and width <= SHORT_CELL)
    for row in rows:
        table.add_row(*row)
    out.print(table, markup=False)


def _show_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The same for a pipe: every row is one line, however long, for whatever reads it."""
    widths = _widths(columns, rows)
    for row in (columns, *rows):
        cells = (" ".join(cell.split()).ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[number]) for row in (columns, *rows)) for number in range(len(columns))]


def say(sentence: str) -> None:
    """Print one sentence as it is, without markup."""
    out.print(harmless(sentence), markup=False, soft_wrap=True)


def note(sentence: str) -> None:
    """Print one sentence to stderr, so that it does not mix with the answer."""
    err.print(harmless(sentence), markup=False, soft_wrap=True)


def show_error(error: RecountError) -> None:
    """Print what was wrong and, on a line of its own, what to do."""
    err.print(harmless(f"error: {error}"), markup=False, soft_wrap=True, style="red")
    if error.hint:
        err.print(harmless(f"hint: {error.hint}"), markup=False, soft_wrap=True)


def show_unexpected(error: Exception, trace_variable: str) -> None:
    """Print an error that nobody foresaw."""
    show_error(
        RecountError(
            f"unexpected: {type(error).__name__}: {error}",
            hint=f"This is a fault of Recount. Run it again with {trace_variable}=1 and report what it prints.",
        )
    )


# Control characters of C0 and C1, and those that turn the direction of text: what a sender wrote into a title must not
# move the cursor, colour the terminal, or show its letters in another order. Tab and line feed are harmless.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text with what a terminal would obey written as an escape."""
    return _UNSAFE.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text
    )


def counted(number: int, noun: str) -> str:
    """``1 event``, ``1,204 events``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def line(text: str) -> str:
    """The text on one line, whatever breaks and tabs its writer put into it."""
    return " ".join(text.split())


def shortened(text: str, chars: int) -> str:
    """A text of at most so many characters, cut at its end."""
    return text if len(text) <= chars else f"{text[: chars - 1].rstrip()}…"


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list() | tuple():
            return ", ".join(map(_cell, value))
        case _:
            return harmless(str(value))
