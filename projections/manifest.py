"""The manifest of an export: which Parquet files hold which events, their SHA-256, and how anybody reads them.

The export is what its ``manifest.json`` says; it is replaced in one step after a file is complete, so that whoever
reads it finds every file that it names, whole.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from events import RecountError

FILE_NAME = "manifest.json"
FORMAT = "recount-log-parquet/1"
"""Raised when a reader of the former one could not read it."""

# One row group of DuckDB, so that one thread reads one file; about 7 MB on disk and 100 MB in memory while written.
PART_EVENTS = 122_880

ABOUT = (
    "Every event of a Recount log from the first position to the last, partitioned by the month in which it was "
    "recorded (UTC). Each position is in exactly one file. Nothing else is needed to compute every view again."
)

READING = {
    "recount": "recount rebuild --from-parquet FOLDER --into warehouse.duckdb",
    "duckdb": "select * from read_parquet('FOLDER/month=*/*.parquet', hive_partitioning = true) order by seq",
    "pandas": "pandas.read_parquet('FOLDER')",
    "spark": "spark.read.parquet('FOLDER')",
    "check": "sha256sum of each file equals its sha256 here",
}

COLUMNS = {
    "seq": ("BIGINT", "position in the log: 1, 2, 3 and so on, without a gap"),
    "subject": ("VARCHAR", "subject in the log: evt.<category>.<id>.<name>"),
    "recorded_at": ("TIMESTAMP", "when the log stored it, UTC"),
    "body": ("BLOB", "the event as it lies in the log, byte for byte: CloudEvents 1.0 structured JSON"),
    "stream": ("VARCHAR", "<category>.<id>, the history that it belongs to"),
    "category": ("VARCHAR", "kind of stream, such as incident"),
    "stream_id": ("VARCHAR", "id within the category, such as INC-42"),
    "type": ("VARCHAR", "type of the event, such as incident.declared"),
    "event_id": ("VARCHAR", "id of the event, unique in the log"),
    "source": ("VARCHAR", "who says it"),
    "happened_at": ("TIMESTAMP", "when it happened, as its source says, UTC"),
    "actor": ("VARCHAR", "whose act it is: a person id, service:<name> or key:<id>"),
    "auth_id": ("VARCHAR", "which token or link the actor used"),
    "causation_id": ("VARCHAR", "event, command or receipt that it answers"),
    "correlation_id": ("VARCHAR", "what it belongs to, usually an incident id"),
    "traceparent": ("VARCHAR", "W3C trace context"),
    "happened_earliest": ("TIMESTAMP", "lower bound of an imprecise time, UTC"),
    "happened_latest": ("TIMESTAMP", "upper bound of an imprecise time, UTC"),
    "known_at": ("TIMESTAMP", "when another system recorded it first, for imported history, UTC"),
    "data": ("JSON", "the fact as JSON text; null when the body cannot be read"),
    "month": ("VARCHAR", "partition, from the folder's name: month of recorded_at"),
}
"""The type of each column, as DuckDB writes it, and what it means."""


class BrokenExport(RecountError):
    """An export is not what its manifest says, or the manifest cannot be used."""

    hint = "Export again into an empty folder, or put the file back from a copy."


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export."""

    path: str
    """Relative to the manifest, with ``/``."""
    first: int
    """Position of its first event."""
    last: int
    bytes: int
    sha256: str
    """In hex."""

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.last - self.first + 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export says of itself. Fields that describe are for people and other tools."""

    format: str = FORMAT
    about: str = ABOUT
    log: str
    """SHA-256 of the first event's bytes, in hex: which log this is."""
    parts: tuple[Part, ...] = ()
    """In the order of the log."""
    columns: dict[str, tuple[str, str]] = msgspec.field(default_factory=lambda: dict(COLUMNS))
    reading: dict[str, str] = msgspec.field(default_factory=lambda: dict(READING))
    first: int = 0
    last: int = 0
    """Position of the last event, 0 when there is none."""
    events: int = 0

    def with_parts(self, *parts: Part) -> "Manifest":
        """The same with other files."""
        return msgspec.structs.replace(
            self,
            parts=parts,
            first=parts[0].first if parts else 0,
            last=parts[-1].last if parts else 0,
            events=sum(part.events for part in parts),
        )


def part_path(month: str, first: int, last: int) -> str:
    """Where a file lies in its export: Hive style, and in the order of the log when sorted."""
    return f"month={month}/events-{first:012d}-{last:012d}.parquet"


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an export; None when there is none.

    Raises:
        BrokenExport: it cannot be read, is of a later format, leaves out positions, or names files elsewhere.
    """
    path = folder / FILE_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenExport(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        said: Any = msgspec.json.decode(content)
        if isinstance(said, dict) and said.get("format") != FORMAT:
            raise BrokenExport(
                f"{path} has the format {said.get('format')!r}, this program reads {FORMAT!r}",
                hint="Use the version of Recount that wrote it, or a newer one.",
            )
        manifest = msgspec.convert(said, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BrokenExport(f"{path} is not a manifest: {error}") from error
    _check_order(path, manifest)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step, after what it names is on disk."""
    written = folder / f"{FILE_NAME}.writing"
    with written.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    written.replace(folder / FILE_NAME)


def check_parts(folder: Path, parts: Sequence[Part]) -> None:
    """Compare files with their SHA-256.

    Raises:
        BrokenExport: names the file that is missing or differs.
    """
    for part in parts:
        path = folder / part.path
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BrokenExport(f"{path} cannot be read: {error.strerror or error}") from error
        if found != part.sha256:
            raise BrokenExport(
                f"{path} was changed: its SHA-256 is {found}, the manifest says {part.sha256}; it should hold the "
                f"positions {part.first} to {part.last}"
            )


def _check_order(path: Path, manifest: Manifest) -> None:
    expected = 1
    for part in manifest.parts:
        where = PurePosixPath(part.path)
        if where.is_absolute() or ".." in where.parts:
            raise BrokenExport(f"{path} names {part.path}, which lies outside its folder")
        if part.first != expected or part.last < part.first:
            raise BrokenExport(
                f"{path}: {part.path} holds the positions {part.first} to {part.last}, but {expected} comes next"
            )
        expected = part.last + 1
    if manifest.last != expected - 1:
        raise BrokenExport(f"{path} says that it ends at {manifest.last}, its files at {expected - 1}")
