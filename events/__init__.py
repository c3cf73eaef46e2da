"""What happened: immutable facts, and the log that keeps them. Imports nothing else of Recount."""

from events.errors import Conflict, LogUnavailable, RecountError
from events.fact import Fact
from events.log import NOTHING, EventLog, Write
from events.recorded import Event, Recorded, Stored, decode, encode, headline
from events.registry import FACT_TYPES

__all__ = [
    "FACT_TYPES",
    "NOTHING",
    "Conflict",
    "Event",
    "EventLog",
    "Fact",
    "LogUnavailable",
    "Recorded",
    "RecountError",
    "Stored",
    "Write",
    "decode",
    "encode",
    "headline",
]
