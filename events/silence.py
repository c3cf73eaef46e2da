"""Facts about silences: alerts that match one are held back while it lasts.

Stream ``silence.<silence_id>``. A maintenance window is a silence that begins later. That a silence runs out is no
fact, because its end was said before; that somebody ends it early is one.
"""

from datetime import datetime
from typing import ClassVar

from events.fact import Fact


class SilenceCreated(Fact, frozen=True, tag="silence.created"):
    """Alerts that fit every matcher open and join nothing from ``starts_at`` until ``ends_at``."""

    headline: ClassVar[str] = "silence until {ends_at}: {reason}"
    matchers: tuple[str, ...]
    """In Alertmanager's syntax, one each: ``service="checkout"``, ``alertname=~"Disk.*"``. All must fit."""
    starts_at: datetime
    ends_at: datetime
    reason: str


class SilenceChanged(Fact, frozen=True, tag="silence.changed"):
    """The silence lasts for another time than was said, or gives another reason. Its matchers stay."""

    headline: ClassVar[str] = "silence now until {ends_at}: {reason}"
    starts_at: datetime
    ends_at: datetime
    reason: str


class SilenceEnded(Fact, frozen=True, tag="silence.ended"):
    """Somebody ended the silence before its time."""

    headline: ClassVar[str] = "silence ended: {reason}"
    reason: str = ""


class SilenceHeldAlert(Fact, frozen=True, tag="silence.alert_held"):
    """An alert is held back by this silence; it is looked at again when the silence ends."""

    headline: ClassVar[str] = "alert {alert_key} held back"
    alert_key: str
    occurrence: int


SilenceFact = SilenceCreated | SilenceChanged | SilenceEnded | SilenceHeldAlert
