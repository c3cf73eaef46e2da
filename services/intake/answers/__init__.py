"""What senders' own clients ask beside posting: one file a sender, each with its ``ANSWERS``, found by being here.

An answer is read from the log when it is asked. It shows no more than the integration key that asks
could have sent, apart from what holds for everybody, such as silences.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache

import msgspec

from events import EventLog
from events.receipt import Receipts
from services.intake.adapters import Reply, Route
from services.intake.keys import Key
from services.intake.standing import Standing


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and what it may be answered from."""

    key: Key
    """Who asks."""
    at: datetime
    """When."""
    parameters: dict[str, str] = {}
    """Of the path."""
    queries: tuple[tuple[str, str], ...] = ()
    """Names and values of the query, in order; a name may come more than once."""
    started_at: datetime
    """When this process began to answer."""
    log: EventLog
    receipts: Receipts
    standing: Standing


class Answered(msgspec.Struct, frozen=True):
    """A door that is asked and stores nothing."""

    route: Route
    sender: str
    """The adapter whose keys may ask, and in whose words it is refused."""
    answer: Callable[[Asked], Awaitable[Reply]]
    refuses: tuple[int, ...] = (404,)
    """Statuses with which it answers what it cannot, beside those of its adapter's payloads."""


@cache
def answers() -> tuple[Answered, ...]:
    """Every door of this kind."""
    found: list[Answered] = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").ANSWERS
    return tuple(found)
