"""Servers of others that a test or a benchmark runs: a process that answers over HTTP, and Debian's Alertmanager."""

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.nats_process import free_port

ALERTMANAGER = shutil.which("prometheus-alertmanager") or ""
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0


@contextmanager
def http_process(
    command: Sequence[str | Path], ready: str, output: Path, *, within_s: float = START_TIMEOUT_S
) -> Iterator[int]:
    """A process from when an address answers until the block ends; gives its process id.

    Args:
        command: what to run.
        ready: the address.
        output: where its output goes.
        within_s: how long it may take to answer.
    """
    with output.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + within_s
        while True:
            try:
                urllib.request.urlopen(ready, timeout=1).close()
                break
            except OSError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start:\n{output.read_text()}") from error
                time.sleep(0.05)  # the condition waited for is an answer of another process
        yield process.pid
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)


def alertmanager_command(folder: Path, config: str, port: int) -> tuple[str, ...]:
    """What starts Debian's Alertmanager alone on a port, with its configuration and data in a folder."""
    path = folder / "alertmanager.yml"
    path.write_text(config)
    return (
        ALERTMANAGER,
        f"--config.file={path}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    )


@contextmanager
def running_alertmanager(folder: Path, config: str) -> Iterator[tuple[str, int]]:
    """Debian's Alertmanager; gives its URL and its process id."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = alertmanager_command(folder, config, port)
    with http_process(command, f"{url}/-/ready", folder / "alertmanager.log") as pid:
        yield url, pid
