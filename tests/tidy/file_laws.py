"""Laws about every file: its length, its name, and what it may not say."""

import re
from pathlib import Path

from tests.tidy.tree import PACKAGES, at, files

LINES_MAX = 400
LONG_FILES: frozenset[str] = frozenset()
"""Files excused from `LINES_MAX`. The list may only shrink: an entry that is not needed is a violation too."""

FORBIDDEN_NAMES = frozenset(
    {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "base", "core"}
)

_COUNTED = (".py", ".sql", ".js", ".css", ".html", ".j2")
_TEXT = (*_COUNTED, ".md", ".toml", ".yml", ".yaml", ".json", ".cfg", ".conf", ".txt", "")

# Written in pieces, so that this file does not say them itself.
_NEVER_SAID = {
    "a promise to do it later belongs in an issue": re.compile(r"\b(" + "FIX" "ME|TO" "DO|X" "XX)" + r"\b"),
    "a path of one machine": re.compile("/wo" "rk/|/tmp/" "bri" "ef|/home/" r"\w+/|/Us" "ers/"),
    "a folder outside the repository": re.compile(r"\.\./sha" r"red|\bsha" r"red/(design|reference|tools)"),
}  # fmt: skip


def files_stay_short(root: Path) -> list[str]:
    """At most `LINES_MAX` lines; what is longer holds more than one noun."""
    complaints = []
    counted = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in files(root, *_COUNTED)}
    for name, lines in counted.items():
        if lines > LINES_MAX and name not in LONG_FILES:
            complaints.append(f"{name} has {lines} lines; split it by noun (at most {LINES_MAX})")
    for name in sorted(LONG_FILES):
        if counted.get(name, 0) <= LINES_MAX:
            complaints.append(f"{name} is short again, or gone: remove it from LONG_FILES")
    return complaints


def files_are_named_by_a_noun(root: Path) -> list[str]:
    """A name that fits anything collects everything."""
    return [
        f"{at(root, path)} is named {part!r}: name it after the one thing it defines"
        for path in files(root, ".py", ".sql", ".js", under=PACKAGES)
        for part in (*path.relative_to(root).parts[:-1], path.stem)
        if part in FORBIDDEN_NAMES
    ]


def nothing_speaks_of_where_it_was_written(root: Path) -> list[str]:
    """No machine's paths, no folder outside the repository, no promises to do it later."""
    complaints = []
    for path in files(root, *_TEXT):
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, start=1):
            for reason, pattern in _NEVER_SAID.items():
                if found := pattern.search(line):
                    complaints.append(f"{at(root, path, number)} says {found[0]!r}: {reason}")
    return complaints
