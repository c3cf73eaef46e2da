"""Recount as its users meet it: the command ``recount up`` in a data folder of its own, spoken to from outside."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.nats_process import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
# The command `recount`, in a way that does not depend on how it was installed.
RECOUNT = (sys.executable, "-m", "services.cli")
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 60.0
WAIT_S = 30.0
REQUEST_TIMEOUT_S = 30.0

SETTINGS = """
[people.ada]
name = "Ada Lovelace"
zone = "Europe/London"
contacts = ["smtp:ada@example.org"]

[people.grace]
name = "Grace Hopper"
contacts = ["smtp:grace@example.org"]

[rotations.primary]
zone = "Europe/London"
starts_at = 2026-01-05T09:00:00
shift_days = 7
members = ["ada"]

[policies.default]
levels = [
    {{ targets = ["rotation.primary"], answer_within_s = {answer_within_s} }},
    {{ targets = ["person.grace"], answer_within_s = {answer_within_s} }},
]

[smtp]
host = "127.0.0.1"
port = {smtp_port}
from = "recount@example.org"
"""

Found = TypeVar("Found")


def environment() -> dict[str, str]:
    """The environment of a newcomer: nothing of Recount is set, and its packages are found from any folder."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RECOUNT_")}
    return inherited | {"PYTHONPATH": str(ROOT)}


def wait_for(condition: Callable[[], Found], what: str, timeout_s: float = WAIT_S) -> Found:
    """What the condition gives once it gives something; a platform that is restarting gives nothing yet."""
    deadline = time.monotonic() + timeout_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
            last = found
        except (httpx.HTTPError, OSError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s:.0f} s: {what}; last: {last!r}")


class Platform:
    """One data folder and what runs in it.

    Args:
        folder: becomes the data folder.
        smtp_port: where its mails go.
        answer_within_s: how long each level of its policy has.
    """

    def __init__(self, folder: Path, *, smtp_port: int = 1, answer_within_s: int = 300) -> None:
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        (self.data / "recount.toml").write_text(SETTINGS.format(smtp_port=smtp_port, answer_within_s=answer_within_s))
        self._http, self._intake = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.said: dict[str, Any] = {}

    def start(self) -> "Platform":
        """Start it and wait until everything answers."""
        with (self.data / "up.log").open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    *(*RECOUNT, "up", "--data", self.data, "--json"),
                    *("--http", f"127.0.0.1:{self._http}", "--intake", f"127.0.0.1:{self._intake}"),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.data,
                env=environment(),
            )
        assert self._process.stdout is not None
        # The pipe holds one short line, so nothing that follows can fill it.
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.stop()
            raise AssertionError(f"recount up said nothing in {START_TIMEOUT_S:.0f} s:\n{self.logs()}")
        self.said = json.loads(line)
        return self

    def stop(self) -> None:
        """SIGTERM, and wait until it has stopped in order."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"recount up did not stop in {STOP_TIMEOUT_S:.0f} s:\n{self.logs()}") from None
        finally:
            assert process.stdout is not None
            process.stdout.close()

    def kill(self, name: str) -> None:
        """SIGKILL one of its processes: ``nats``, ``actors`` or ``readers``. The supervisor starts it again."""
        os.kill(self.pid(name), signal.SIGKILL)

    def pid(self, name: str) -> int:
        """The process id of one of its processes, at this moment."""
        return int(json.loads((self.data / "run.json").read_text())["pids"][name])

    def logs(self) -> str:
        """The end of what its processes said, for a failing test."""
        files = [self.data / "up.log", *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"== {file.name}\n{file.read_text('utf-8', 'replace')[-4_000:]}" for file in files)

    def cli(self, *words: str) -> str:
        """What a verb of the command line prints."""
        done = subprocess.run(
            [*RECOUNT, *words, "--data", self.data],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment(),
        )
        assert done.returncode == 0, f"recount {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def request(self, method: str, path: str, *, actor: str = "ada", key: str = "", **more: Any) -> httpx.Response:
        """One request of the HTTP API, in somebody's name."""
        headers = {"Authorization": f"Bearer {self.said['token']}", "Recount-Actor": actor}
        if key:
            headers["Idempotency-Key"] = key
        return httpx.request(method, f"{self.said['url']}{path}", headers=headers, timeout=REQUEST_TIMEOUT_S, **more)

    def ask(self, verb: str, incident_id: str, **command: Any) -> dict[str, Any]:
        """A command about an incident that must be done."""
        answer = self.request("POST", f"/api/incidents/{incident_id}/{verb}", json=command)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sql(self, query: str, *, as_of: int | None = None) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        answer = self.request("POST", "/api/sql", json={"sql": query, **({"as_of": as_of} if as_of else {})})
        answer.raise_for_status()
        table = answer.json()
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]

    def rows(self, query: str, count: int = 1) -> list[dict[str, Any]]:
        """The rows of a query once there are so many."""
        return wait_for(lambda: found if len(found := self.sql(query)) >= count else None, f"{count} rows of {query}")

    def caught_up(self) -> int:
        """Wait until the views have read the whole log; the position."""

        def position() -> int | None:
            health = httpx.get(f"{self.said['url']}/healthz", timeout=REQUEST_TIMEOUT_S).json()
            return health["position"] if health["position"] == health["log_position"] else None

        return wait_for(position, "the views have read the whole log")

    def differences(self) -> list[dict[str, Any]]:
        """What `recount verify --views` finds."""
        self.caught_up()
        answer = self.request("POST", "/api/verify/views")
        answer.raise_for_status()
        return answer.json()["differences"]
