"""A child process that is started again when it dies."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from events import RecountError

logger = logging.getLogger("recount")

# Pauses before a restart, in seconds: at once after the first death, rarely when it keeps dying.
RESTART_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# A child that lived this long died for a new reason: its earlier deaths no longer count.
SETTLED_AFTER_S = 60.0
# So many deaths in a row, before the platform is up, mean that it cannot start.
DEATHS_AT_START_MAX = 3
# After SIGKILL a process is gone at once, unless the kernel waits for a disk.
KILL_WAIT_S = 10.0
TAIL_LINES = 15
TAIL_BYTES = 16_384

_TETHER = Path(__file__).with_name("tether.py")


class ChildKeepsDying(RecountError):
    """A child process cannot stay alive; the message holds the end of its log."""


class Child:
    """One child process, tethered to this one, in a session of its own so that Ctrl-C reaches only the supervisor.

    Args:
        name: what people and `Running.pids` call it.
        command: program and arguments.
        log_file: where it logs; the end of it is shown when it dies.
        pass_fds: descriptors it inherits, such as the lock of the data folder.
        on_start: called with each new process id.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_file: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        on_start: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self.name = name
        self.is_up = False
        """Set it once the platform is up: from then on the child is restarted for ever."""
        self._command = command
        self._log_file = log_file
        self._environment = environment
        self._pass_fds = tuple(pass_fds)
        self._on_start = on_start
        self._process: asyncio.subprocess.Process | None = None
        self._started_at = 0.0
        self._stopping = False

    @property
    def pid(self) -> int:
        """Process id of the present incarnation, 0 before the first."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the process."""
        self._started_at = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *self._command),
            stdin=asyncio.subprocess.PIPE,
            env=dict(self._environment) if self._environment is not None else None,
            pass_fds=self._pass_fds,
            start_new_session=True,
        )
        self._on_start(self._process.pid)

    async def keep_running(self) -> None:
        """Start it again whenever it dies, until `stop`.

        Raises:
            ChildKeepsDying: it died several times in a row before `is_up` was set.
        """
        deaths = 0
        while True:
            assert self._process is not None
            code = await self._process.wait()
            if self._stopping:
                return
            lived_s = time.monotonic() - self._started_at
            deaths = 1 if lived_s > SETTLED_AFTER_S else deaths + 1
            if deaths >= DEATHS_AT_START_MAX and not self.is_up:
                raise ChildKeepsDying(
                    f"{self.name} cannot start: it ended with {_said(code)} {deaths} times. The end of "
                    f"{self._log_file}:\n{self.tail()}",
                    hint="Mend what the log says and start again; `recount doctor` looks for common causes.",
                )
            pause = RESTART_PAUSES_S[min(deaths, len(RESTART_PAUSES_S)) - 1]
            logger.error(
                "%s ended with %s after %.1f s; it starts again in %.1f s", self.name, _said(code), lived_s, pause
            )
            if deaths >= DEATHS_AT_START_MAX:
                logger.error("%s keeps ending. The end of %s:\n%s", self.name, self._log_file, self.tail())
            await asyncio.sleep(pause)
            if self._stopping:
                return
            await self.start()

    async def stop(self, *, grace_s: float) -> None:
        """Ask it to end, and end it when it has not after ``grace_s`` seconds."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            logger.error("%s did not stop within %.0f s and is killed", self.name, grace_s)
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait_for(process.wait(), KILL_WAIT_S)

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            with self._log_file.open("rb") as file:
                file.seek(max(0, self._log_file.stat().st_size - TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return "(it has no log)"
        return "\n".join(lines[-TAIL_LINES:]) or "(it is empty)"


def _said(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"
