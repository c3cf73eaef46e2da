"""What a process says of itself and of its installation: credentials at the first start, its own start and stop."""

from contextlib import suppress

from events import Conflict, Event, EventLog, Fact, Write
from events.audit import KeyCreated, SystemStarted, SystemStopped, TokenCreated
from events.errors import LogError
from events.ids import derived_event_id, new_id
from events.log import NOTHING
from services.clock import Clock
from services.secrets import Secrets
from services.version import recount_version

SOURCE = "recount/supervisor"
ACTOR = "service:supervisor"


async def record_credentials(log: EventLog, secrets: Secrets, clock: Clock) -> None:
    """Let the log know the hashes of the secrets made at the first start. Later it changes nothing."""
    token = secrets.admin_token
    facts: list[tuple[str, Fact]] = [
        (f"token.{token.id}", TokenCreated(scope="admin", secret_sha256=token.sha256)),
        *(
            (
                f"key.{key.id}",
                KeyCreated(sender=source, secret_sha256=key.sha256, name=f"{source}, made at the first start"),
            )
            for source, key in secrets.keys.items()
        ),
    ]
    for stream, fact in facts:
        if await log.read(stream):
            continue
        event = Event(
            id=derived_event_id(stream, "created"), fact=fact, happened_at=clock.now(), source=SOURCE, actor=ACTOR
        )
        with suppress(Conflict):  # another process was faster
            await log.append(Write(stream, NOTHING, (event,)))


class Presence:
    """Records that a process started, and that it stopped in order.

    Args:
        log: where to record it.
        process: its name: ``actors``.
    """

    def __init__(self, log: EventLog, clock: Clock, process: str) -> None:
        self._log = log
        self._clock = clock
        self._process = process
        self._stream = f"system.{new_id('sys')}"
        self._version = NOTHING

    async def started(self) -> None:
        """Record the start."""
        self._version = await self._say(SystemStarted(process=self._process, version=recount_version()))

    async def stopped(self) -> None:
        """Record the stop. A log that is away already does not hold it up."""
        with suppress(LogError):
            await self._say(SystemStopped(process=self._process))

    async def _say(self, fact: Fact) -> int:
        event = Event(
            id=derived_event_id(self._stream, type(fact).__name__),
            fact=fact,
            happened_at=self._clock.now(),
            source=SOURCE,
            actor=ACTOR,
        )
        return await self._log.append(Write(self._stream, self._version, (event,)))
