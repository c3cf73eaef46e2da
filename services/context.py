"""What a process gives the services that it runs.

A composition root (`services.supervisor`) builds one context a process and hands it to each service's ``attach_…``
function. A service takes from it only the ports that it needs, so that tests and the simulation can give others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faststream.nats import NatsBroker

from events import EventLog
from events.timers import Timers
from services.broker import Client
from services.clock import Clock
from services.secrets import Secrets
from services.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from services.keyring import Keyring


@dataclass(frozen=True, kw_only=True)
class Context:
    """One process's connections, configuration and secrets."""

    broker: NatsBroker
    """Delivers to subscribers; started after every service has attached."""
    client: Client
    """A second connection, for what has no handler: the log, timers, commands to other services."""
    log: EventLog
    timers: Timers
    clock: Clock
    settings: Settings
    secrets: Secrets
    keyring: Keyring
    """The keys that open what is sealed about people."""
    data: Path
    """The data folder."""
