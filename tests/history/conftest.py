"""A log, and the history service on it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from events import EventLog
from events.memory_log import MemoryLog
from services.command import Order
from services.history.commands import Recorded
from services.history.service import History

TODAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Importing:
    """Takes snapshots over, as `recount import` has it done."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self._service = History(log)

    async def record(self, *snapshots: dict[str, Any], **options: Any) -> Recorded:
        """The answer to an order with these snapshots; it must not be refused as a whole."""
        answer = await self.ask(*snapshots, **options)
        assert isinstance(answer, Recorded), answer
        return answer

    async def ask(self, *snapshots: dict[str, Any], **options: Any) -> Any:
        """Whatever the service answers."""
        command = {"type": "record", "snapshots": snapshots, **options}
        order = Order(
            id="order-1", actor="administrator", issued_at=TODAY, command=msgspec.Raw(msgspec.json.encode(command))
        )
        return await self._service.handle(order, "record")


@pytest.fixture
def memory_log() -> MemoryLog:
    """A log in memory on a clock that stands still."""
    return MemoryLog(lambda: TODAY)


@pytest.fixture
def importing(memory_log: MemoryLog) -> Importing:
    """The service on the log in memory."""
    return Importing(memory_log)
