"""A whole Recount for end-to-end tests: `recount up --json` in a folder of its own, on free ports.

    with running_platform(tmp_path) as platform:
        platform.fire("checkout is down")
        platform.wait_for_rows("select * from incidents")

It is driven like a script would drive it, and stopped by SIGTERM.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
WAIT_S = 30
POLL_S = 0.05
# Where a platform's stderr goes, in the folder of its test.
ERRORS = "up.stderr"


class PlatformFailed(AssertionError):
    """The platform did not do what every test needs; holds what it printed."""


class Platform:
    """One running platform. Attributes come from its JSON line."""

    def __init__(self, data: Path, process: subprocess.Popen[str], said: Mapping[str, Any], errors: Path) -> None:
        self.data = data
        self.process = process
        self.errors = errors
        self.url: str = said["url"]
        self.intake_url: str = said["intake_url"]
        self.nats: str = said["nats"]
        self.postgres: str = said["postgres"]
        self.producer: dict[str, str] = said["producer"]
        self.token: str = said["token"]
        self.keys: dict[str, str] = said["keys"]
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)
        self.intake = httpx.Client(base_url=self.intake_url, timeout=30)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children now: ``nats``, ``actors``, ``readers``."""
        pids: dict[str, int] = json.loads((self.data / "run.json").read_text())["pids"]
        return pids

    def fire(self, title: str = "checkout is down", **fields: Any) -> httpx.Response:
        """Send an alert in plain JSON."""
        alert = {"title": title, "severity": "critical", "service": "checkout"} | fields
        return self.intake.post(f"/hooks/json/{self.keys['json']}", json=alert)

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of a query."""
        response = self.http.post("/api/sql", json={"sql": sql})
        if not response.is_success:
            raise PlatformFailed(f"{sql}: {response.text}")
        rows: list[list[Any]] = response.json()["rows"]
        return rows

    def wait_for_rows(self, sql: str, *, count: int = 1) -> list[list[Any]]:
        """The rows of a query once there are so many."""
        wait_until(lambda: len(self.rows(sql)) >= count, f"{count} rows of {sql}")
        return self.rows(sql)

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a verb of the command line against this platform."""
        done = run_cli(*arguments, "--data", str(self.data))
        if check and done.returncode:
            raise PlatformFailed(f"recount {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done

    def kill(self, child: str) -> int:
        """Kill a child with SIGKILL, and return its process id."""
        pid = self.pids[child]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_until_restarted(self, child: str, former: int) -> None:
        """Wait until a child runs again under another process id."""
        wait_until(lambda: self.pids[child] not in (0, former), f"{child} to be started again")

    def wait_until_healthy(self) -> None:
        """Wait until intake and the web answer, and the warehouse holds the whole log."""

        def is_healthy() -> bool:
            try:
                state = self.http.get("/healthz").json()
                return self.intake.get("/healthz").is_success and state["position"] >= state["log_position"]
            except (httpx.HTTPError, ValueError, TypeError, KeyError):
                return False

        wait_until(is_healthy, "everything to answer")

    def stop(self) -> int:
        """Stop it by SIGTERM and return the exit code."""
        self.http.close()
        self.intake.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_TIMEOUT_S)


@contextmanager
def running_platform(folder: Path, *, settings: str = "", arguments: tuple[str, ...] = ()) -> Iterator[Platform]:
    """Start a platform in ``folder``/data, and stop it in the end.

    Args:
        folder: of the test alone.
        settings: text of recount.toml.
        arguments: further options of `recount up`.
    """
    platform = start_platform(folder, settings=settings, arguments=arguments)
    try:
        yield platform
    finally:
        code = platform.stop()
        if code and sys.exc_info()[0] is None:
            raise PlatformFailed(f"recount up ended with {code}: {platform.errors.read_text()}")


def start_platform(folder: Path, *, settings: str = "", arguments: tuple[str, ...] = ()) -> Platform:
    """Start a platform and wait for its JSON line. Whoever calls this stops it."""
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    if settings:
        (data / "recount.toml").write_text(settings)
    process = spawn_up(folder, *arguments)
    errors = folder / ERRORS
    assert process.stdout is not None
    with process.stdout:
        line = _first_line(process)
    if not line:
        process.kill()
        raise PlatformFailed(f"recount up ended with {process.wait()}: {errors.read_text()}")
    return Platform(data, process, json.loads(line), errors)


def spawn_up(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `recount up --json` on ``folder``/data and free ports, and wait for nothing."""
    with (folder / ERRORS).open("a") as stderr:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "services.cli", "up", "--data", str(folder / "data"), "--json"),
                *("--http", "127.0.0.1:0", "--intake", "127.0.0.1:0", "--postgres", "127.0.0.1:0", *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(),
            cwd=folder,
        )


def run_cli(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb of the command line."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        env=environment() | variables,
        cwd=cwd,
        check=False,
    )


def environment() -> dict[str, str]:
    """The environment of this process without what would point elsewhere."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("RECOUNT_")}
    return mine | {"PYTHONPATH": str(ROOT)}


def wait_until(condition: Callable[[], bool], what: str, *, deadline_s: float = WAIT_S) -> None:
    """Wait until a condition holds, and fail with what was waited for when it does not."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise PlatformFailed(f"waited {deadline_s:.0f} s in vain for {what}")
        time.sleep(POLL_S)


def is_alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _first_line(process: subprocess.Popen[str]) -> str:
    # It prints the line, or it ends by itself: its own start has a limit.
    assert process.stdout is not None
    return process.stdout.readline()
