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
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            # Without this an acknowledged write would be on disk only two minutes later.
            f"jetstream {{ store_dir: {json.dumps(str(folder))}, sync_interval: always }}\n{settings}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, within_s: float = START_TIMEOUT_S) -> "NatsProcess":
        """Start it and wait until it takes connections."""
        with (self.folder / "nats.log").open("ab") as output:
            self._process = subprocess.Popen([BINARY, "-c", self._config], stdout=output, stderr=output)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)  # the condition waited for is a port of another process
            else:
                return self
        raise RuntimeError(f"nats-server did not start:\n{(self.folder / 'nats.log').read_text()}")

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
