"""Facts about changes: deployments, configuration, feature flags. They wake nobody; they are what a responder asks for
first.

Stream ``change.<change_key>``, the key a hash of the integration and the sender's own id.
"""

from typing import ClassVar

from events.fact import Fact


class ChangeRecorded(Fact, frozen=True, tag="change.recorded"):
    """A change was made, or got further. The event's time is when the sender says so."""

    headline: ClassVar[str] = "change: {title}"
    integration: str
    """Id of the integration key it came through."""
    sender: str
    """Kind of sender, the adapter's name."""
    external_id: str
    """The sender's own id of the change."""
    title: str
    kind: str = ""
    """What sort of change in the sender's words: ``deployment``, ``service.rolledback``."""
    outcome: str = ""
    """``started``, ``finished``, ``failed``, or the sender's own word; empty when it does not say."""
    service: str = ""
    environment: str = ""
    """Where it was made, such as ``production``."""
    version: str = ""
    labels: dict[str, str] = {}
    url: str = ""
    receipt_seq: int = 0
    """Position in INTAKE of the payload as received."""


ChangeFact = ChangeRecorded
