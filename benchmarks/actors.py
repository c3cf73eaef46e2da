"""The actors as they are run in earnest, for benchmarks that wait for a page: ``recount run actors`` on a nats-server
that syncs every write, with somebody on call whose mails a real SMTP server takes.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from services.secrets import ensure_secrets  # noqa: E402  the root is no package
from tests.http_process import START_TIMEOUT_S, http_process  # noqa: E402
from tests.nats_process import free_port  # noqa: E402

_CALL = re.compile(rb"call-\w+")


class Mails:
    """When the mail about each call arrived, by the service ``call-…`` that it names; Unix time."""

    def __init__(self) -> None:
        self.arrived_at: dict[str, float] = {}

    async def handle_DATA(self, _server, _session, envelope) -> str:
        """Take a mail."""
        at = time.time()
        if call := _CALL.search(envelope.content):
            self.arrived_at.setdefault(call[0].decode(), at)
        return "250 taken"


@contextmanager
def taking_mails() -> Iterator[tuple[Mails, int]]:
    """An SMTP server; gives what it takes and its port."""
    from aiosmtpd.controller import Controller

    mails = Mails()
    controller = Controller(mails, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield mails, controller.port
    finally:
        controller.stop()


def prepare(data: Path, smtp_port: int) -> str:
    """Fill a data folder: somebody is on call, and their mails go to a port. Gives the secret of Alertmanager's key."""
    data.mkdir(mode=0o700, exist_ok=True)
    (data / "recount.toml").write_text(
        "[people.ada]\nname = 'Ada'\ncontacts = ['smtp:ada@example.org']\n"
        "[policies.default]\nlevels = [ { targets = ['person.ada'], answer_within_s = 3600 } ]\n"
        f"[smtp]\nhost = '127.0.0.1'\nport = {smtp_port}\nfrom = 'recount@example.org'\n"
    )
    return ensure_secrets(data).keys["alertmanager"].secret


@contextmanager
def running_actors(nats_url: str, data: Path, *, within_s: float = START_TIMEOUT_S) -> Iterator[tuple[str, int]]:
    """The actors' process from when its port answers; gives the URL of its port and its process id."""
    port = free_port()
    command = (
        *(sys.executable, "-m", "services.cli", "run", "actors", "--data", data, "--nats", nats_url),
        *("--intake", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{free_port()}"),
    )
    url = f"http://127.0.0.1:{port}"
    with http_process(command, f"{url}/healthz", data.parent / "actors.log", within_s=within_s) as pid:
        yield url, pid


def memory_mib(pid: int, field: str = "VmHWM") -> float:
    """The memory of a process in MiB: the most that it has held, or with ``VmRSS`` what it holds now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    import os

    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(found: Callable[[], bool], seconds: float) -> bool:
    """Whether something is so within some seconds."""
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)  # the condition waited for is an answer of another process
    return True


def notification(alerts: list[dict]) -> bytes:
    """What Alertmanager's webhook sends."""
    return json.dumps({"version": "4", "status": "firing", "receiver": "recount", "alerts": alerts}).encode()
