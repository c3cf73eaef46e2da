"""Exports for tests, as `recount export` leaves them, and the warehouses that come out of them."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from events import Stored
from projections.manifest import Manifest, Part, part_path, write_manifest
from projections.parquet import fill_from_parquet, month_of, one_part, write_part
from projections.warehouse import Warehouse


def export_to(folder: Path, history: Sequence[Stored], *, events_a_part: int = 1_000) -> Manifest:
    """An export as `recount export` leaves it."""
    parts = []
    left = list(history)
    while left:
        batch = one_part(left[:events_a_part])
        left = left[len(batch) :]
        path = part_path(month_of(batch[0]), batch[0].seq, batch[-1].seq)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_part(folder / path, batch)
        content = (folder / path).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        parts.append(Part(path=path, first=batch[0].seq, last=batch[-1].seq, bytes=len(content), sha256=sha256))
    manifest = Manifest(log=hashlib.sha256(history[0].body).hexdigest()).with_parts(*parts)
    write_manifest(folder, manifest)
    return manifest


def digests_from_parquet(history: Sequence[Stored], *, events_a_part: int) -> dict[str, str]:
    """The digests of every view of a warehouse that was built from an export of a history."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        manifest = export_to(folder / "export", history, events_a_part=events_a_part)
        fill_from_parquet(folder / "recount.duckdb", folder / "export", manifest)
        with Warehouse.open(folder / "recount.duckdb") as warehouse:
            return warehouse.digests()
