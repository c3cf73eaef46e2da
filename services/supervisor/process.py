"""What runs inside one process: connections, services, HTTP ports, and their ordered stop."""

import asyncio
import logging
import logging.handlers
import os
import signal
import socket
import sys
from collections.abc import Awaitable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from nats.aio.client import Client

from events import RecountError
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from events.timers import NatsTimers
from services.broker import ask, connect_client, make_broker
from services.clock import SystemClock
from services.context import Context
from services.directory import Directory
from services.keyring import Keyring
from services.secrets import Secrets, ensure_secrets
from services.settings import Settings, load_settings
from services.supervisor.configuration import apply_settings
from services.supervisor.data_folder import PRIVATE_UMASK, prepare_folder
from services.supervisor.first_facts import Presence, record_credentials
from services.supervisor.http_door import Address, bind, parse_address, without_signals
from services.supervisor.nats_server import wait_until_it_answers
from services.supervisor.roles import ROLES, SUPERVISED_VARIABLE, user_of

logger = logging.getLogger("recount")

LOG_FILE_BYTES_MAX = 10 * 1024 * 1024
LOG_FILES_MAX = 3
# How long a process waits for its server before it gives up; the supervisor, or the container engine, tries again.
NATS_WAIT_S = 60.0
# How long everything may take to stop, less than the supervisor waits (`services.supervisor.platform.STOP_GRACE_S`).
# What stops in order is faster; a part that still asks a server which is gone would never stop.
STOP_S_MAX = 20.0
# What is left for each further part then: closing needs no answer.
LATE_STOP_S_MAX = 0.5


class ProcessOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is started with."""

    name: str
    """A role or a service: a key of `ROLES`."""
    data: Path
    http: Address
    """Where the web listens; actors need it for the links that they send."""
    intake: Address
    postgres: Address
    """Where the readers answer SQL to BI tools."""
    nats_url: str = ""
    """Empty: RECOUNT_NATS_URL."""


async def run_process(options: ProcessOptions) -> None:
    """Run until SIGTERM or SIGINT, then stop in order: first what lets work in, last what carries it.

    Raises:
        RecountError: it cannot start, or a part of it ended by itself.
    """
    os.umask(PRIVATE_UMASK)
    prepare_folder(options.data)
    start_logging(options.name, options.data)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    process = Process(options, load_settings(options.data), ensure_secrets(options.data))
    try:
        await process.start()
        await _first_of(stop.wait(), process.ended())
    finally:
        await process.stop()


class Process:
    """One process's parts.

    Args:
        options: what to run, and where.
        settings: what is configured.
        secrets: credentials of the data folder.
    """

    def __init__(self, options: ProcessOptions, settings: Settings, secrets: Secrets) -> None:
        self._options = options
        self._settings = settings
        self._secrets = secrets
        self._services: dict[str, Any] = {}
        self._servers: dict[str, tuple[uvicorn.Server, asyncio.Task[None]]] = {}
        self._client: Client | None = None
        self._context: Context | None = None
        self._presence: Presence | None = None

    async def start(self) -> None:
        """Bind ports, connect, attach every service, apply the configuration, and let work in last."""
        options = self._options
        sockets = self._bind()
        url = options.nats_url or self._settings.nats_url
        if not url:
            raise RecountError(
                "no NATS server to connect to", hint="Use `recount up`, or set RECOUNT_NATS_URL to an existing server."
            )
        await declare(url, self._settings, self._secrets)
        user, password = credentials(url, self._secrets, options.name)
        self._client = await connect_client(url, user=user, password=password)
        broker = make_broker(url, user=user, password=password, name=f"recount-{options.name}")
        self._context = context = Context(
            broker=broker,
            client=self._client,
            log=NatsLog(self._client),
            timers=NatsTimers(self._client),
            clock=SystemClock(),
            settings=msgspec.structs.replace(self._settings, public_url=self._settings.public_url or options.http.url),
            secrets=self._secrets,
            keyring=Keyring(options.data / "people"),
            data=options.data,
        )
        if user_of(options.name) == "actors":
            await record_credentials(context.log, self._secrets, context.clock)
        for service in ROLES[options.name]:
            await self._attach(service, context)
        if broker.subscribers:
            await broker.start()
        self._presence = Presence(context.log, context.clock, options.name)
        await self._presence.started()
        if "oncall" in self._services:
            await self._configure(context)
        if (listener := sockets.pop("pgwire", None)) is not None:
            await self._answer_sql(listener, context)
        if (listener := sockets.pop("mail", None)) is not None:
            self._services["mail"] = await self._take_mails(listener, context)
        for service, listener in sockets.items():
            self._serve(service, listener, context)

    async def ended(self) -> None:
        """Wait until a part ends that should not.

        Raises:
            RecountError: names the part.
        """
        tasks = [task for _server, task in self._servers.values()]
        if not tasks:
            await asyncio.Event().wait()
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        names = ", ".join(service for service, (_server, task) in self._servers.items() if task.done())
        raise RecountError(f"the HTTP server of {names} ended by itself", hint="The log above says why.")

    async def stop(self) -> None:
        """Stop accepting, finish what was accepted, then stop services, and leave the bus last."""
        stopping = Stopping(STOP_S_MAX)
        for server, _task in self._servers.values():
            server.should_exit = True
        for service, (_server, task) in self._servers.items():
            await stopping.settled(task, f"the HTTP server of {service}")
        for name, service in self._services.items():
            if hasattr(service, "drain"):
                await stopping.settled(service.drain(), f"what {name} still has to say")
        if self._context is not None and self._context.broker.subscribers:
            await stopping.settled(self._context.broker.stop(), "the subscribers")
        for name, service in reversed(self._services.items()):
            if hasattr(service, "stop"):
                await stopping.settled(service.stop(), name)
        if self._presence is not None:
            await stopping.settled(self._presence.stopped(), "the record of the stop")
        if self._client is not None:
            await stopping.settled(self._client.close(), "the connection")

    def _bind(self) -> dict[str, socket.socket]:
        services = ROLES[self._options.name]
        ports = {"intake": (self._options.intake, "--intake"), "web": (self._options.http, "--http")}
        if self._settings.postgres.enabled:
            ports["pgwire"] = (self._options.postgres, "--postgres")
        bound = {service: bind(*ports[service]) for service in services if service in ports}
        if "intake" in services and self._settings.mail.enabled:
            bound["mail"] = bind(parse_address(self._settings.mail.listen, "mail.listen"), "mail.listen")
        return bound

    async def _attach(self, service: str, context: Context) -> None:
        if service in ("web", "pgwire"):  # they have nothing but their ports
            return
        # By convention, so that a new service is one folder and one word in `roles`.
        wiring = import_module(f"services.{service}.wiring")
        attached = await getattr(wiring, f"attach_{service}")(context)
        self._services[service] = attached
        # The projector starts as it is attached: the web reads its warehouse.
        if service != "projector" and hasattr(attached, "start"):
            await attached.start()

    async def _configure(self, context: Context) -> None:
        async def ask_service(service: str, verb: str, order: Any) -> Any:
            return await ask(context.client, service, verb, order)

        directory = Directory(context.log, context.keyring)
        refused = await apply_settings(context.settings, ask_service, directory, context.clock)
        if refused:
            logger.error("%d parts of %s do not hold; see above", refused, context.settings.file)

    def _serve(self, service: str, listener: socket.socket, context: Context) -> None:
        server = without_signals(self._intake(context) if service == "intake" else self._web(context))
        task = asyncio.create_task(server.serve(sockets=[listener]), name=f"http {service}")
        self._servers[service] = (server, task)

    async def _answer_sql(self, listener: socket.socket, context: Context) -> None:
        from services.pgwire.wiring import open_pgwire

        warehouse = self._services["projector"]
        needs_tls = not self._options.postgres.is_of_this_machine
        self._services["pgwire"] = await open_pgwire(
            context, lambda: warehouse.warehouse, listener, needs_tls=needs_tls
        )

    async def _take_mails(self, listener: socket.socket, context: Context) -> Any:
        from services.intake.mail_wiring import open_mail

        return await open_mail(context, listener)

    def _intake(self, context: Context) -> uvicorn.Server:
        from services.intake.serving import make_server
        from services.intake.wiring import make_app

        return make_server(make_app(context), self._options.intake.host, self._options.intake.port)

    def _web(self, context: Context) -> uvicorn.Server:
        from services.postmortem.render import render
        from services.web.app import make_app
        from services.web.serving import WebServer

        app = make_app(context, self._services["projector"], render_postmortem=render)
        return WebServer(
            uvicorn.Config(
                app,
                lifespan="on",
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
            )
        )


def start_logging(name: str, data: Path) -> None:
    """Log everything to ``logs/<name>.log`` when supervised, and to stderr: then only what matters to people."""
    supervised = bool(os.environ.get(SUPERVISED_VARIABLE))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    to_people = logging.StreamHandler(sys.stderr)
    to_people.setLevel(logging.WARNING if supervised else logging.INFO)
    to_people.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s {name}: %(message)s"))
    root.addHandler(to_people)
    if supervised:
        folder = data / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        to_file = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=LOG_FILE_BYTES_MAX, backupCount=LOG_FILES_MAX - 1, encoding="utf-8"
        )
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(to_file)


def credentials(url: str, secrets: Secrets, process: str) -> tuple[str | None, str | None]:
    """User and password for a server: those in its URL (none here, then), else those of the process's role."""
    if "@" in url:
        return None, None
    user = user_of(process)
    return user, secrets.nats[user]


async def declare(url: str, settings: Settings, secrets: Secrets) -> None:
    """Wait for the server and declare the streams that are missing, as the one user who may.

    Raises:
        RecountError: it does not answer, or refuses us.
    """
    user, password = (None, None) if "@" in url else ("admin", secrets.nats["admin"])
    await wait_until_it_answers(url, user=user, password=password, timeout_s=NATS_WAIT_S)
    client = await connect_client(url, user=user, password=password)
    try:
        await declare_streams(client.jetstream(), replicas=settings.log.replicas, max_bytes=settings.log.bytes_max)
    finally:
        await client.close()


async def _first_of(*waits: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        await task


class Stopping:
    """Stops one part after the other: one that fails to stop, or takes too long, does not keep the others from it.

    Args:
        seconds: for all of them together; each one after that has `LATE_STOP_S_MAX`.
    """

    def __init__(self, seconds: float) -> None:
        self._until = asyncio.get_running_loop().time() + seconds

    async def settled(self, work: Awaitable[Any], what: str) -> None:
        """Wait until a part has stopped, or give it up with a line in the log."""
        late = asyncio.get_running_loop().time() + LATE_STOP_S_MAX
        try:
            async with asyncio.timeout_at(max(self._until, late)):
                await work
        except TimeoutError:
            logger.error("%s did not stop in time and was given up; is the NATS server gone?", what)
        except Exception as error:
            logger.error("%s did not stop cleanly: %r", what, error)
