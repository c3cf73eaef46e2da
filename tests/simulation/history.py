"""What happened in a simulated world, and what people were told."""

from datetime import datetime

import msgspec

from events import Recorded, Stored
from services.command import Answer, Order


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run."""

    events: tuple[Recorded, ...]
    stored: tuple[Stored, ...]
    answers: tuple[tuple[Order, str, Answer], ...]
    messages: tuple[str, ...]
    """Ids of what reached a pager, also where the pager then gave no answer."""
    began: frozenset[tuple[str, datetime]]
    """Fingerprint and beginning of every alert that monitoring said was firing."""
    firing: dict[str, datetime | None]
    """What still fires at the end, as monitoring knows it: by fingerprint, since when."""
    ended_at: datetime
    """When it was watched last."""
