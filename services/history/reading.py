"""A history file: JSON lines, each a snapshot of one incident or a list of several.

It is read twice: to check it and put it in order, and to take it over in order of knowledge.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, Literal, get_args

import msgspec

from services.history.checking import BadSnapshot, check
from services.history.commands import Moment, Snapshot, System
from services.history.statuspage import read_document

Form = Literal["recount", "statuspage"]
"""What a line holds: this format, or a document that a status page published."""
FORMS: tuple[Form, ...] = get_args(Form)

# A whole status history with a few hundred incidents; it is decoded in memory.
LINE_BYTES_MAX = 16 * 1024 * 1024
# One snapshot must fit into one order, and an order into one message of the server (1 MiB).
SNAPSHOT_BYTES_MAX = 400 * 1024

_PATH = re.compile(r"(.*?)(?: - at `(?:key in )?(\$[^`]*)`)?", re.DOTALL)
_SEE = "See docs/import.md, or `recount import --schema`."


class SnapshotList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several incidents, as one system knew them at one moment. Each inherits ``system`` and ``known_at``. Nothing is
    said of what is not in the list."""

    incidents: tuple[Snapshot, ...]
    known_at: Moment
    system: System


class Entry(msgspec.Struct, frozen=True, order=True):
    """Where a snapshot stands in a file. Sorts by knowledge, then by place."""

    known_at: datetime
    line: int
    """From 1."""
    place: int
    """In the list of its line."""
    system: str
    identifier: str
    offset: int
    length: int


class BadLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line, or an incident in its list, that cannot be taken over."""

    line: int
    path: str
    problem: str
    hint: str
    text: str
    """The beginning of the line."""


TEXT_CHARS_KEPT = 2_000


def scan(file: BinaryIO, form: Form = "recount") -> tuple[list[Entry], list[BadLine]]:
    """Check every line of a file. Returns where each snapshot stands, in order of knowledge, and what is bad."""
    entries: list[Entry] = []
    bad: list[BadLine] = []
    for number, (offset, line) in enumerate(_lines(file), start=1):
        if line.strip():
            for place, (path, found) in enumerate(parse_line(line, form)):
                if isinstance(found, BadSnapshot):
                    bad.append(bad_line(number, line, found, path))
                else:
                    entries.append(Entry(found.known_at, number, place, found.system, found.id, offset, len(line)))
    return sorted(entries), bad


def snapshots(file: BinaryIO, entries: Iterable[Entry], form: Form = "recount") -> Iterator[tuple[Entry, Snapshot]]:
    """The snapshots at some places, in the given order."""
    offset, found = -1, list[tuple[str, Snapshot | BadSnapshot]]()
    for entry in entries:
        if entry.offset != offset:
            file.seek(entry.offset)
            offset, found = entry.offset, list(parse_line(file.read(entry.length), form))
        _path, snapshot = found[entry.place]
        assert isinstance(snapshot, Snapshot), f"line {entry.line} changed while it was imported"
        yield entry, snapshot


def parse_line(line: bytes, form: Form = "recount") -> Iterator[tuple[str, Snapshot | BadSnapshot]]:
    """The snapshots of one line, each with the JSON path where it stands, or what is wrong with it."""
    if len(line) > LINE_BYTES_MAX:
        problem = f"it has more than {LINE_BYTES_MAX:,} bytes"
        yield "$", BadSnapshot("$", problem, hint="Write one line for each incident.")
        return
    if form == "statuspage":
        yield from _parse_statuspage(line)
        return
    try:
        fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        several = "incidents" in fields
        incidents = msgspec.json.decode(fields.pop("incidents"), type=list[dict[str, msgspec.Raw]]) if several else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield "$", _explained(error)
        return
    if not several:
        yield "$", _snapshot(line)
        return
    if unknown := sorted(fields.keys() - {"system", "known_at"}):
        problem = f"a list of incidents has no field {unknown[0]!r}"
        yield "$", BadSnapshot(f"$.{unknown[0]}", problem, hint="It has system, known_at and incidents.")
        return
    for place, incident in enumerate(incidents):
        yield f"$.incidents[{place}]", _snapshot(msgspec.json.encode(fields | incident))


def bad_line(number: int, line: bytes, bad: BadSnapshot, prefix: str = "$") -> BadLine:
    """A complaint about a line."""
    return BadLine(
        line=number,
        path=prefix + bad.path.removeprefix("$"),
        problem=str(bad),
        hint=bad.hint,
        text=line[: 4 * TEXT_CHARS_KEPT].decode(errors="replace").rstrip("\n")[:TEXT_CHARS_KEPT],
    )


def line_schema() -> dict[str, Any]:
    """JSON Schema of one line."""
    (one, several), components = msgspec.json.schema_components((Snapshot, SnapshotList), ref_template="#/$defs/{name}")
    listed = components["SnapshotList"]
    # Inside a list both are inherited.
    inside = components["Snapshot"] | {"required": ["id"]}
    listed["properties"]["incidents"]["items"] = {"$ref": "#/$defs/ListedSnapshot"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of an incident history",
        "anyOf": [one, several],
        "$defs": components | {"ListedSnapshot": inside | {"title": "ListedSnapshot"}},
    }


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each line and where it begins."""
    offset = file.tell()
    # A line that is too long is cut here, so that no file can fill the memory; its rest is passed over.
    while line := file.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX and not line.endswith(b"\n"):
            while (rest := file.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
                pass
        yield offset, line
        offset = file.tell()


def _parse_statuspage(line: bytes) -> Iterator[tuple[str, Snapshot | BadSnapshot]]:
    try:
        found = list(read_document(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield "$", _explained(error)
        return
    for place, snapshot in enumerate(found):
        # What is converted keeps the limits of the format, too.
        yield f"$.incidents[{place}]", _snapshot(msgspec.json.encode(snapshot))


def _snapshot(text: bytes) -> Snapshot | BadSnapshot:
    try:
        snapshot = _SNAPSHOT.decode(text)
        check(snapshot)
    except BadSnapshot as bad:
        return bad
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _explained(error)
    size = len(msgspec.json.encode(snapshot))
    if size > SNAPSHOT_BYTES_MAX:
        problem = f"it has {size:,} bytes; one state of an incident has at most {SNAPSHOT_BYTES_MAX:,}"
        return BadSnapshot("$", problem, hint="Shorten its texts and keep their address in `url` or `extra`.")
    return snapshot


def _explained(error: Exception) -> BadSnapshot:
    found = _PATH.fullmatch(str(error))
    assert found is not None
    hint = _SEE
    if "timezone" in found[1]:
        hint = "Write times like 2026-03-01T14:05:00Z, or with an offset such as +01:00."
    return BadSnapshot(found[2] or "$", found[1], hint=hint)


_SNAPSHOT = msgspec.json.Decoder(Snapshot)
