"""Recount on one machine: nats-server, actors and readers, started in order, watched, and stopped in order."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from events import RecountError
from services.running import Running, forget_running, hold, write_running
from services.secrets import Secrets, Source, ensure_secrets
from services.settings import Settings, load_settings
from services.supervisor.child import Child
from services.supervisor.data_folder import PRIVATE_UMASK, prepare_folder
from services.supervisor.http_door import Address, refuse_same, settled
from services.supervisor.nats_server import NatsServer
from services.supervisor.roles import SUPERVISED_VARIABLE

logger = logging.getLogger("recount")

# A first start takes about two seconds. Replaying a long log into a new warehouse takes minutes: progress is what
# counts then, so this bounds the silence and not the whole.
UP_TIMEOUT_S = 60.0
HEALTH_TIMEOUT_S = 3.0
HEALTH_POLL_S = 0.05
# Longer than a process may take to finish what it accepted (`services.intake.serving.SHUTDOWN_S`).
STOP_GRACE_S = 25.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Producer(msgspec.Struct, frozen=True):
    """What a NATS client needs to send alerts without HTTP."""

    user: str
    password: str


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What `recount up` tells once everything answers."""

    url: str
    intake_url: str
    nats: str
    producer: Producer
    token: str
    """Admin token."""
    keys: dict[Source, str]
    postgres: str
    """Where BI tools connect, ``HOST:PORT``; empty when they cannot."""


class PlatformOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `recount up` is asked for."""

    data: Path
    http: Address
    intake: Address
    postgres: Address
    nats_port: int = 0
    """0: a free one."""


async def run_platform(options: PlatformOptions, announce: Callable[[Announcement], None]) -> None:
    """Hold the data folder, start everything, announce it, and stop in order on SIGTERM, SIGINT or SIGHUP.

    Raises:
        RecountError: the folder cannot be used, another platform holds it, a port is taken, the configuration is
            wrong, or a process cannot start.
    """
    os.umask(PRIVATE_UMASK)
    refuse_same({"--http": options.http, "--intake": options.intake, "--postgres": options.postgres})
    prepare_folder(options.data)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    with hold(options.data) as lock:
        settings = load_settings(options.data)
        secrets = ensure_secrets(options.data)
        platform = Platform(options, settings, secrets, lock)
        running = asyncio.create_task(platform.run(announce))
        asked = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
        finally:
            # From here on a second signal must not interrupt the order.
            for task in (running, asked):
                task.cancel()
            with suppress(asyncio.CancelledError, RecountError):
                await running
            await platform.stop()


class Platform:
    """The children and their order.

    Args:
        options: folder and addresses.
        settings: what is configured.
        secrets: credentials of the folder.
        lock: descriptor of the folder's lock, inherited by every child: the folder stays held while one lives.
    """

    def __init__(self, options: PlatformOptions, settings: Settings, secrets: Secrets, lock: int) -> None:
        self._options = options
        self._settings = settings
        self._secrets = secrets
        self._lock = lock
        self._logs = options.data / "logs"
        self._nats: NatsServer | None = None
        self._children: dict[str, Child] = {}
        self._started_at = datetime.now(UTC).isoformat()
        self._http = options.http
        self._intake = options.intake
        self._postgres = options.postgres
        self._is_announced = False

    async def run(self, announce: Callable[[Announcement], None]) -> None:
        """Start everything, announce it, and keep it running.

        Raises:
            RecountError: something cannot start.
        """
        self._write_running()  # from here on a second one can be told who is first
        self._http = settled(self._options.http, "--http")
        self._intake = settled(self._options.intake, "--intake")
        if self._settings.postgres.enabled:
            self._postgres = settled(self._options.postgres, "--postgres")
        self._logs.mkdir(mode=0o700, exist_ok=True)
        watches: list[asyncio.Task[None]] = []
        starting: list[asyncio.Task[None]] = []
        if not self._settings.nats_url:
            self._nats = NatsServer(
                self._options.data / "nats",
                log_file=self._logs / "nats.log",
                port=self._options.nats_port
                and settled(Address("127.0.0.1", self._options.nats_port), "--nats-port").port,
                passwords=self._secrets.nats,
                pass_fds=(self._lock,),
                on_start=self._write_running,
            )
            # It may recover a long log for seconds; meanwhile the others load their code, and wait for it.
            starting.append(asyncio.create_task(self._nats.start(), name="nats starting"))
        try:
            for name in ("actors", "readers"):
                child = self._children[name] = self._child(name)
                await child.start()
                watches.append(asyncio.create_task(child.keep_running(), name=name))
            await _all_or_first_failure(starting, watches)
            if self._nats is not None:
                watches.append(asyncio.create_task(self._nats.watch(), name="nats"))
            starting.append(asyncio.create_task(self._until_it_answers(), name="up"))
            await _all_or_first_failure(starting, watches)
            for child in self._children.values():
                child.is_up = True
            self._is_announced = True
            self._write_running()
            announce(self.announcement())
            await _all_or_first_failure(watches, [])
        finally:
            for task in (*starting, *watches):
                task.cancel()

    async def stop(self) -> None:
        """Stop actors, so that nothing new is accepted, then readers, then the server."""
        for name, child in self._children.items():
            logger.info("stopping %s", name)
            await child.stop(grace_s=STOP_GRACE_S)
        if self._nats is not None:
            await self._nats.stop()
        forget_running(self._options.data)

    def announcement(self) -> Announcement:
        """Where everything is, and what opens it."""
        return Announcement(
            url=self._http.url,
            intake_url=self._intake.url,
            nats=self._nats_url,
            producer=Producer("producer", self._secrets.nats["producer"]),
            token=self._secrets.admin_token.secret,
            keys={source: key.secret for source, key in self._secrets.keys.items()},
            postgres=self._postgres_at,
        )

    @property
    def _nats_url(self) -> str:
        if self._nats is not None:
            return self._nats.url
        # Whoever reads run.json or a terminal need not learn the password of somebody's cluster.
        scheme, _, rest = self._settings.nats_url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    @property
    def _postgres_at(self) -> str:
        return self._postgres.reachable if self._settings.postgres.enabled else ""

    def _child(self, name: str) -> Child:
        return Child(
            name,
            [
                *(sys.executable, "-m", "services.cli", "run", name, "--data", str(self._options.data.absolute())),
                *("--http", str(self._http), "--intake", str(self._intake), "--postgres", str(self._postgres)),
            ],
            log_file=self._logs / f"{name}.log",
            # By environment and not by argument: a URL may hold a password, and arguments are readable by all.
            environment=os.environ
            | {SUPERVISED_VARIABLE: "1", "RECOUNT_NATS_URL": self._nats.url if self._nats else self._settings.nats_url},
            pass_fds=(self._lock,),
            on_start=self._write_running,
        )

    def _write_running(self, _pid: int = 0) -> None:
        # A first start says nothing before everything answers, so that no verb finds half a platform.
        pids = {name: child.pid for name, child in self._children.items()}
        if self._nats is not None:
            pids["nats"] = self._nats.pid
        write_running(
            self._options.data,
            Running(
                pid=os.getpid(),
                url=self._http.url,
                intake_url=self._intake.url,
                nats=self._nats_url if self._nats is not None or self._settings.nats_url else "",
                started_at=self._started_at,
                pids=pids,
                postgres=self._postgres_at,
                ready=self._is_announced,
            ),
        )

    async def _until_it_answers(self) -> None:
        """Wait until intake and the web answer, and the projector has read the whole log.

        Raises:
            RecountError: nothing moved for too long.
        """
        seen: dict[str, Any] = {}
        moved_at = time.monotonic()
        async with httpx.AsyncClient(timeout=HEALTH_TIMEOUT_S) as http:
            while True:
                state = {"intake": await _health(http, self._intake), "web": await _health(http, self._http)}
                web = state["web"]
                if state["intake"] and web and web.get("status") == "ok" and web["position"] >= web["log_position"]:
                    return
                if state != seen:
                    seen, moved_at = state, time.monotonic()
                if time.monotonic() - moved_at > UP_TIMEOUT_S:
                    silent = " and ".join(name for name, answer in state.items() if not answer) or "the projector"
                    raise RecountError(
                        f"{silent} did not come up within {UP_TIMEOUT_S:.0f} s",
                        hint=f"Look into {self._logs}; `recount doctor` looks for common causes.",
                    )
                await asyncio.sleep(HEALTH_POLL_S)


async def _health(http: httpx.AsyncClient, address: Address) -> dict[str, Any] | None:
    """The answer of a health check, None when there is none or it is not well."""
    try:
        response = await http.get(f"{address.url}/healthz")
        return msgspec.json.decode(response.content, type=dict[str, Any]) if response.is_success else None
    except (httpx.HTTPError, msgspec.DecodeError):
        return None


async def _all_or_first_failure(wanted: list[asyncio.Task[None]], watched: list[asyncio.Task[None]]) -> None:
    """Wait until all that is wanted is done; whatever fails meanwhile, watched or wanted, is raised."""
    waiting = {*wanted, *watched}
    while not all(task.done() for task in wanted):
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
