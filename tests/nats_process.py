"""A nats-server that a test may kill: its own port, its own folder, the durability of the embedded one."""

import json
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from pathlib import Path

BINARY = Path(sysconfig.get_path("scripts")) / "nats-server"
START_TIMEOUT_S = 20.0
# What the server says.
READY = b"Server is ready"
TAKEN = b"address already in use"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NatsProcess:
    """One nats-server on a fixed port, which keeps its data when it dies.

    Args:
        folder: for its data and configuration.
        settings: further lines of server configuration, such as ``authorization { … }``.
    """

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self._settings = settings
        self._log = folder / "nats.log"
        self._config = folder / "nats.conf"
        self._process: subprocess.Popen[bytes] | None = None
        self._began = False
        self._listen_at(free_port())

    def start(self, *, within_s: float = START_TIMEOUT_S) -> "NatsProcess":
        """Start it and wait until it takes connections."""
        deadline = time.monotonic() + within_s
        while not self._started(deadline):
            # Until its first start a port is only one that was free; another process may have taken it since.
            if self._began or time.monotonic() >= deadline or TAKEN not in self._log.read_bytes():
                raise RuntimeError(f"nats-server did not start:\n{self._log.read_text()}")
            self._log.unlink()
            self._listen_at(free_port())
        self._began = True
        return self

    def _listen_at(self, port: int) -> None:
        self.port = port
        self.url = f"nats://127.0.0.1:{port}"
        self._config.write_text(
            f'listen: "127.0.0.1:{port}"\n'
            # Without this an acknowledged write would be on disk only two minutes later.
            f"jetstream {{ store_dir: {json.dumps(str(self.folder))}, sync_interval: always }}\n{self._settings}\n"
        )

    def _started(self, deadline: float) -> bool:
        with self._log.open("ab") as output:
            said_before = output.tell()
            self._process = subprocess.Popen([BINARY, "-c", self._config], stdout=output, stderr=output)
        while time.monotonic() < deadline and self._process.poll() is None:
            # A port that answers may be another server's.
            if READY in self._log.read_bytes()[said_before:]:
                return True
            time.sleep(0.01)  # the condition waited for is a line of another process
        return False

    @property
    def pid(self) -> int:
        """Process id while it runs."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """As the kernel would: no chance to write anything more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In order; does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def remove(self) -> None:
        """Stop it and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None
