"""How soon after a restart an alert pages somebody, with a log of 10 million events.

Run: ``.venv/bin/python benchmarks/bench_restart.py [--events 10000000] [--folder FOLDER --keep]``. It fills a stream,
stops the server and the actors, starts both again, and sends an alert as soon as intake's port answers: after a stop in
order, after ``kill -9`` of the actors alone, and after ``kill -9`` of both. Filling takes a few minutes: with
``--keep`` the folder stays, and the next run on it starts with what it holds. The limit beside it, in the same run: the
same with a log that holds next to nothing.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.actors import Mails, memory_mib, prepare, processor_s, running_actors, taking_mails, wait_for  # noqa: E402  the root is no package
from benchmarks.bench_storm import alert, as_posted  # noqa: E402
from benchmarks.synthetic import synthetic_log  # noqa: E402
from events.nats_batch import publish_batch  # noqa: E402
from events.nats_streams import EVENTS  # noqa: E402
from services.broker import ask, connect_client  # noqa: E402
from services.command import Done, Order  # noqa: E402
from services.intake.commands import CreateKey  # noqa: E402
from services.intake.keys import secret_sha256  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402

SENDER, SECRET = "alertmanager_api", "a" * 32
BATCH = 1_000
# How a run ends, and so what the next one starts from. The server's own recovery reads every block after a kill.
ENDS = ("actors killed", "all killed", "in order", "in order")
RECOVERY_MAX_S = 300.0
PAGE_MAX_S = 60.0
API_TIMEOUT_S = 120.0
COLUMNS = (
    "server takes connections, s",
    "intake's port answers, s",
    "from there to the page, s",
    "start to page, s",
    "then what fires listed, s",
    "processor s of the server",
    "of the actors",
    "server MiB",
    "actors MiB",
)


async def fill(nats_url: str, events: int) -> None:
    """Bring a stream to a length, and the actors' consumers to its end, as if they had heard all of it."""
    client = await connect_client(nats_url)
    js = client.jetstream(timeout=API_TIMEOUT_S)
    told = synthetic_log(events)
    while batch := list(islice(told, BATCH)):
        await publish_batch(client, [(stored.subject, stored.body, {}) for stored in batch], timeout_s=API_TIMEOUT_S)
    last = (await js.stream_info(EVENTS)).state.last_seq
    for consumer in await js.consumers_info(EVENTS):
        answer = await client.request(
            f"$JS.API.CONSUMER.RESET.{EVENTS}.{consumer.name}",
            json.dumps({"seq": last + 1}).encode(),
            timeout=API_TIMEOUT_S,
        )
        assert "error" not in json.loads(answer.data), answer.data
    await client.close()


async def length(nats_url: str) -> tuple[int, int, int]:
    """How many events a stream holds, under how many subjects, and how many bytes they take on the disk."""
    client = await connect_client(nats_url)
    state = (await client.jetstream(timeout=API_TIMEOUT_S).stream_info(EVENTS)).state
    await client.close()
    return state.messages, state.num_subjects or 0, state.bytes


async def create_key(nats_url: str) -> None:
    """Have a key that both posts alerts and lists them, as Prometheus and amtool do."""
    client = await connect_client(nats_url)
    command = CreateKey(sender=SENDER, secret_sha256=secret_sha256(SECRET))
    order = Order(
        id="bench-key",
        actor="service:bench",
        issued_at=datetime.now(UTC),
        command=msgspec.Raw(msgspec.json.encode(command)),
    )
    assert isinstance(await ask(client, "intake", "create_key", order), Done)
    await client.close()


def build(folder: Path, events: int, smtp_port: int) -> None:
    """Make a folder with a server's streams and the actors' data, unless it was made before."""
    if (folder / "made").exists():
        return
    began = time.perf_counter()
    (folder / "nats").mkdir(parents=True)
    server = NatsProcess(folder / "nats").start()
    try:
        prepare(folder / "data", smtp_port)
        with running_actors(server.url, folder / "data"):
            asyncio.run(create_key(server.url))  # and the consumers, which the start itself has declared
        asyncio.run(fill(server.url, events))
    finally:
        server.stop()
    (folder / "made").touch()
    print(f"made a log of {events:,} events in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


class Restarts:
    """A server and actors that are started and ended again and again.

    Args:
        folder: what `build` made.
        mails: what the SMTP server takes.
        smtp_port: where it listens.
    """

    def __init__(self, folder: Path, mails: Mails, smtp_port: int) -> None:
        self._folder = folder
        self._mails = mails
        self._server = NatsProcess(folder / "nats")
        self._is_up = False
        prepare(folder / "data", smtp_port)

    def run(self, name: str, ends: str) -> list[float]:
        """Start what is not up, page once, list what fires, and end it. Gives what `COLUMNS` names."""
        server, began = self._server, time.monotonic()
        with (
            ThreadPoolExecutor() as pool,
            # Both at once, as `recount up` starts them: the actors load their code while the server recovers.
            self._starting(pool) as served_at,
            running_actors(server.url, self._folder / "data", within_s=RECOVERY_MAX_S) as (url, pid),
        ):
            healthy, served = time.monotonic(), served_at.result()
            fired = alert(name, name, datetime.now(UTC).replace(microsecond=0))
            ask_http(f"{url}/api/v2/alerts", as_posted([fired]))
            assert wait_for(lambda: name in self._mails.arrived_at, PAGE_MAX_S), "nobody was paged"
            paged, used = time.monotonic(), [processor_s(server.pid), processor_s(pid)]
            while name not in (told := listed_alerts(url)):
                assert time.monotonic() - paged < API_TIMEOUT_S, f"not listed: {told[:200]}"
            listed = time.monotonic()
            row = [
                *(served - began, healthy - began, paged - healthy, paged - began, listed - paged),
                *used,
                *map(memory_mib, (server.pid, pid)),
            ]
            if "killed" in ends:
                os.kill(pid, signal.SIGKILL)
        if ends == "all killed":
            self.kill()
        elif ends == "in order":
            server.stop()
            self._is_up = False
        return row

    @contextmanager
    def _starting(self, pool: ThreadPoolExecutor) -> Iterator[Future[float]]:
        """The server on its way up; gives when it took connections."""

        def start() -> float:
            if not self._is_up:
                self._server.start(within_s=RECOVERY_MAX_S)
            self._is_up = True
            return time.monotonic()

        yield pool.submit(start)

    def kill(self) -> None:
        """End the server at once."""
        self._server.kill()
        self._is_up = False


def ask_http(url: str, body: bytes | None = None) -> str:
    """Send a body, or ask for one, with the key; gives the answer."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=API_TIMEOUT_S) as answer:
        return answer.read().decode()


def listed_alerts(url: str) -> str:
    """What fires; nothing while the door is not ready to tell."""
    try:
        return ask_http(f"{url}/api/v2/alerts")
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return ""


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000, help="length of the log")
    parser.add_argument("--folder", type=Path, help="where to make it; a temporary one when left out")
    parser.add_argument("--keep", action="store_true", help="leave the folder for the next run")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-restart-"))
    print(f"| events | ended before | {' | '.join(COLUMNS)} |\n|---:|---|{'---:|' * len(COLUMNS)}")
    try:
        with taking_mails() as (mails, smtp_port):
            for events in (BATCH, options.events):
                made = folder / str(events)
                build(made, events, smtp_port)
                restarts, before = Restarts(made, mails, smtp_port), "in order"
                try:
                    for number, ends in enumerate(ENDS):
                        row = restarts.run(f"call-{os.getpid()}x{events}x{number}", ends)
                        figures = " | ".join(f"{one:.2f}" for one in row)
                        print(f"| {events:,} | {before} | {figures} |", flush=True)
                        before = ends
                finally:
                    restarts.kill()
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
