"""Facts about inhibition: while one alert fires, others that tell of its consequences are held back.

Stream ``inhibition.<key>``, the key a hash of the rule's name and of the values of the labels that must be equal: all
sources and targets that have to do with each other meet in one stream, and its version makes them agree.
"""

from typing import ClassVar

from events.fact import Fact


class InhibitionSourceFired(Fact, frozen=True, tag="inhibition.source_fired"):
    """An alert fires that holds others back."""

    headline: ClassVar[str] = "alert {alert_key} holds others back by {rule}"
    alert_key: str
    occurrence: int
    rule: str


class InhibitionSourceCleared(Fact, frozen=True, tag="inhibition.source_cleared"):
    """It has cleared; what only it held back is looked at again."""

    headline: ClassVar[str] = "alert {alert_key} holds nothing back any more"
    alert_key: str
    occurrence: int


class InhibitionHeldAlert(Fact, frozen=True, tag="inhibition.alert_held"):
    """An alert is held back because another one fires."""

    headline: ClassVar[str] = "alert {alert_key} held back by {source_alert_key}"
    alert_key: str
    occurrence: int
    source_alert_key: str
    """The alert that fires and inhibits it."""
    rule: str


InhibitionFact = InhibitionSourceFired | InhibitionSourceCleared | InhibitionHeldAlert
