"""Which platform runs in a data folder: ``run.json``, written by the supervisor, and the lock that proves it alive.

The file alone proves nothing, because a killed supervisor leaves it behind; the lock dies with its holder.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from events import RecountError
from services.secrets import FOLDER_MODE, write_private

FILE_NAME = "run.json"
LOCK_NAME = "lock"
# Processes of a killed supervisor stop in order, which takes them seconds; a new one waits for them this long.
PATIENCE_S = 40.0
POLL_S = 0.05


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
    postgres: str = ""
    """Where BI tools connect, ``HOST:PORT``; empty when they cannot."""
    ready: bool = True
    """False until everything has answered once."""


def read_running(data: Path) -> Running | None:
    """The platform that runs in a data folder, None when none does or it has not come up yet."""
    if not is_locked(data):
        return None
    running = _read(data)
    return running if running and running.ready else None


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
def hold(data: Path, *, patience_s: float = PATIENCE_S) -> Iterator[int]:
    """Hold a data folder as its only platform, until the block ends and every child that inherited the lock too.

    Yields:
        The lock's descriptor, for children to inherit.

    Raises:
        RecountError: another one runs there; names its pid and URL.
    """
    data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    descriptor = os.open(data / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + patience_s
        while not _try_lock(descriptor):
            other = _read(data)
            # Children of a supervisor that was killed end within seconds; a living one is not waited for.
            if (other is not None and _is_alive(other.pid)) or time.monotonic() > deadline:
                raise _taken(data, other)
            time.sleep(POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken(data: Path, other: Running | None) -> RecountError:
    if other is None:
        return RecountError(
            f"another process holds {data}", hint="It may be starting: try again, or choose another with --data DIR."
        )
    if _is_alive(other.pid):
        return RecountError(
            f"Recount already runs in {data}: pid {other.pid}, {other.url}",
            hint=f"Use that one, stop it with `kill {other.pid}`, or choose another folder with --data DIR.",
        )
    left = {name: pid for name, pid in other.pids.items() if _is_alive(pid)}
    named = ", ".join(f"{name} (pid {pid})" for name, pid in left.items()) or "a process"
    return RecountError(
        f"the supervisor that ran in {data} is gone, but {named} still works there",
        hint=f"End it: kill {' '.join(map(str, left.values()))}" if left else "Find it with `lsof` on the lock file.",
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
