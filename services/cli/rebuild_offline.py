"""Building a warehouse out of a Parquet export, without NATS and without a running platform."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from events import RecountError
from projections.manifest import FILE_NAME, Manifest, read_manifest
from services.cli.client import shown
from services.cli.console import say, show_json
from services.cli.progress import Bar
from services.running import hold, read_running
from services.supervisor.data_folder import PRIVATE_UMASK

# A platform that runs is not waited for; children of one that was killed end within seconds.
PATIENCE_S = 5.0


def rebuild_from_parquet(folder: Path, into: Path | None, data: Path, *, as_json: bool) -> None:
    """Build a warehouse from an export.

    Args:
        folder: the export.
        into: a new DuckDB file; None builds the warehouse of the data folder, whose platform must not run.
        data: the data folder.
        as_json: print the result as JSON, and no progress.

    Raises:
        BrokenExport: the export is not what its manifest says; names the file.
        RecountError: ``into`` exists, or a platform runs in the data folder.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise RecountError(f"{folder} has no {FILE_NAME}", hint="Name the folder of a `recount export --parquet`.")
    os.umask(PRIVATE_UMASK)
    began = time.monotonic()
    if into is not None:
        if into.exists():
            raise RecountError(f"{into} exists already", hint="Name a file that does not exist, or delete it.")
        _build(folder, manifest, into.with_name(f"{into.name}.building"), into, quiet=as_json)
        built = into
    else:
        with _at_rest(data):
            built = data / "warehouse" / "recount.duckdb"
            _build(folder, manifest, built.with_name("recount.rebuilding.duckdb"), built, quiet=as_json)
    elapsed = time.monotonic() - began
    if as_json:
        show_json({"file": str(built), "position": manifest.last, "elapsed_s": round(elapsed, 3)})
    else:
        say(f"{built} was built from {manifest.events:,} events in {elapsed:.1f} s, at log position {manifest.last}.")


def _build(folder: Path, manifest: Manifest, beside: Path, built: Path, *, quiet: bool) -> None:
    # Imported here, because every verb loads every file of this folder and this needs the engine.
    from projections.files import files_of, remove
    from projections.parquet import fill_from_parquet
    from projections.warehouse import Warehouse

    with Bar("copying the log", manifest.last, quiet=quiet) as bar:
        fill_from_parquet(beside, folder, manifest, bar.show)
        bar.now("computing the projections")
        with Warehouse.open(beside, threads=os.cpu_count() or 1) as warehouse:
            warehouse.upgrade()
    remove(files_of(built))
    beside.replace(built)


@contextmanager
def _at_rest(data: Path) -> Iterator[None]:
    if not data.exists():
        raise RecountError(
            f"there is no data folder {shown(data)}", hint="Name one with --data, or a file with --into."
        )
    if read_running(data) is not None:
        raise RecountError(
            f"Recount already runs in {shown(data)}",
            hint="Stop it first, build a file of its own with --into FILE, or leave --from-parquet out.",
        )
    with hold(data, patience_s=PATIENCE_S):
        yield
