"""Which platform runs in a data folder: ``run.json``, written by the supervisor, and the lock that proves it alive.

The file alone proves nothing, because a killed supervisor leaves it behind; the lock dies with its holder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from events import RecountError
from services.secrets import FOLDER_MODE, write_private

FILE_NAME = "run.json"
LOCK_NAME = "lock"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A running platform."""

    pid: int
    """The supervisor's."""
    url: str
    """Web, HTTP API."""
    intake_url: str
    nats: str
    """URL of the NATS server, without credentials."""
    started_at: str
    pids: dict[str, int] = {}
    """Process ids of its children by name: ``nats``, ``actors``, ``readers``."""


def read_running(data: Path) -> Running | None:
    """The platform that runs in a data folder, None when none does."""
    if not is_locked(data):
        return None
    return _read(data)


def _read(data: Path) -> Running | None:
    try:
        return msgspec.json.decode((data / FILE_NAME).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def write_running(data: Path, running: Running) -> None:
    """Say what runs in a data folder. Only the holder of the lock may."""
    write_private(data / FILE_NAME, msgspec.json.format(msgspec.json.encode(running)))


def forget_running(data: Path) -> None:
    """Say that nothing runs any more."""
    (data / FILE_NAME).unlink(missing_ok=True)


def is_locked(data: Path) -> bool:
    """Whether a living process holds a data folder."""
    try:
        descriptor = os.open(data / LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def hold(data: Path) -> Iterator[None]:
    """Hold a data folder as its only platform, until the block or the process ends.

    Raises:
        RecountError: another one runs there; names its pid and URL.
    """
    data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    descriptor = os.open(data / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = _read(data)
            who = f"pid {other.pid}, {other.url}" if other else "still starting"
            raise RecountError(
                f"Recount already runs in {data} ({who})",
                hint="Use that one, stop it with SIGTERM, or choose another folder with --data DIR.",
            ) from error
        yield
    finally:
        os.close(descriptor)
