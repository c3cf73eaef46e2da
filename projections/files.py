"""The files of a database: its own, and what the engine keeps beside it."""

from pathlib import Path

# The engine's log of what is not in the file yet, and two that a checkpoint leaves when it is cut short.
_BESIDE = (".wal", ".wal.checkpoint", ".wal.recovery")


def beside(path: Path) -> list[Path]:
    """What the engine may keep beside a database's file. A database that closes in good order leaves none of it."""
    return [path.with_name(f"{path.name}{suffix}") for suffix in _BESIDE]


def files_of(path: Path) -> list[Path]:
    """A database's file and what may lie beside it."""
    return [path, *beside(path)]


def remove(files: list[Path]) -> None:
    """Delete those that exist."""
    for file in files:
        file.unlink(missing_ok=True)
