"""``recount export``: the whole log as Parquet, which any engine reads and a warehouse can be built from."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from events import RecountError
from projections.manifest import (
    FILE_NAME,
    PART_EVENTS,
    BrokenExport,
    Manifest,
    Part,
    part_path,
    read_manifest,
    write_manifest,
)
from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.cli.progress import Bar

UNFINISHED = ".writing"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def export(
        parquet: Annotated[
            Path, typer.Option("--parquet", metavar="FOLDER", help="Where the files go; here, not there.")
        ],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Write the whole log to Parquet files, a folder a month. Done again it adds what is new, after Ctrl-C too."""
        with connect(data) as api, _held(parquet):
            before, after = _export(api, parquet, as_json=as_json)
        if as_json:
            show_json(
                {"folder": str(parquet), "new": after.last - before.last, "events": after.events, "last": after.last}
            )
        else:
            say(_sentence(parquet, before, after))


def _sentence(folder: Path, before: Manifest, after: Manifest) -> str:
    if after.last == before.last:
        return f"{folder} holds all {after.events:,} events already."
    size = sum(part.bytes for part in after.parts)
    return (
        f"{folder} holds all {after.events:,} events ({after.last - before.last:,} new) in {len(after.parts)} files, "
        f"{size / 1e6:,.1f} MB. {FILE_NAME} says how to read them."
    )


def _export(api: Api, folder: Path, *, as_json: bool) -> tuple[Manifest, Manifest]:
    """Bring a folder to what the log holds now. Returns its manifest before and after."""
    state = api.get("/api/export")
    if not state["log"]:
        raise RecountError("the log is empty", hint="There is nothing to export yet.")
    before = manifest = _begin(folder, log=state["log"], last=state["last"])
    position = manifest.last
    if manifest.parts and manifest.parts[-1].events < PART_EVENTS and state["last"] > position:
        # A file that has room is replaced by a longer one: an export every hour must not end in a thousand files.
        position = manifest.parts[-1].first - 1
    with Bar("exporting", state["last"], quiet=as_json, already=position) as bar:
        while manifest.last < state["last"]:
            part = _take_part(api, folder, after=position, through=state["last"])
            position = part.last
            if manifest.parts and part.first == manifest.parts[-1].first and part.last <= manifest.last:
                continue  # the last file cannot grow: another month came
            manifest = _with(folder, manifest, part)
            bar.show(position)
    return before, manifest


def _begin(folder: Path, *, log: str, last: int) -> Manifest:
    manifest = read_manifest(folder)
    if manifest is None:
        if strangers := [path.name for path in folder.iterdir()]:
            raise RecountError(
                f"{folder} has no {FILE_NAME} but holds {strangers[0]}", hint="Export into a folder of its own."
            )
        manifest = Manifest(log=log)
        write_manifest(folder, manifest)
    if manifest.log != log:
        raise RecountError(f"{folder} holds the export of another log", hint="Export into another folder.")
    if manifest.last > last:
        raise RecountError(
            f"{folder} ends at position {manifest.last}, after the log, which ends at {last}",
            hint="The log was put back from a backup, then: export into another folder and keep this one.",
        )
    _remove_strays(folder, manifest)
    return manifest


def _remove_strays(folder: Path, manifest: Manifest) -> None:
    """Remove what an export that was killed had not yet put into the manifest."""
    known = {part.path for part in manifest.parts}
    for path in folder.glob("month=*/events-*.parquet*"):
        if path.relative_to(folder).as_posix() not in known:
            path.unlink()


def _take_part(api: Api, folder: Path, *, after: int, through: int) -> Part:
    response = api.ask("GET", "/api/export/part", params={"after": after, "through": through})
    first, last = int(response.headers["Recount-First"]), int(response.headers["Recount-Last"])
    part = Part(
        path=part_path(response.headers["Recount-Month"], first, last),
        first=first,
        last=last,
        bytes=len(response.content),
        sha256=hashlib.sha256(response.content).hexdigest(),
    )
    if first != after + 1 or part.sha256 != response.headers["Recount-SHA256"]:
        raise BrokenExport(f"the file after position {after} did not arrive whole", hint="Run `recount export` again.")
    _write(folder / part.path, response.content)
    return part


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _with(folder: Path, manifest: Manifest, part: Part) -> Manifest:
    kept = tuple(each for each in manifest.parts if each.last < part.first)
    longer = manifest.with_parts(*kept, part)
    write_manifest(folder, longer)
    for replaced in manifest.parts[len(kept) :]:
        if replaced.path != part.path:
            (folder / replaced.path).unlink(missing_ok=True)
    return longer


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a folder for this export alone, and make it when there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RecountError(
            f"{folder} cannot be used: {error.strerror or error}", hint="Choose another folder with --parquet FOLDER."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RecountError(f"another export writes into {folder}", hint="Wait for it, or stop it.") from error
        yield
    finally:
        os.close(descriptor)
