"""Facts about alerts: what a monitoring system said about one condition, kept by change of state.

Stream ``alert.<alert_key>``. The key is a hash of the integration and the sender's own fingerprint, so a stream is one
distinct alert however often it fires; each firing after a clearing is a new occurrence, counted from 1. A repeat that
changes nothing is not a fact: it stays in INTAKE as received.
"""

from datetime import datetime
from typing import ClassVar, Literal

from events.fact import Fact

AlertSeverity = Literal["critical", "error", "warning", "info", "unknown"]
# Most severe first, so that an index compares two of them. An unknown severity ranks with warning: a sender that does
# not say must not be able to silence itself.
ALERT_SEVERITIES: tuple[AlertSeverity, ...] = ("critical", "error", "warning", "unknown", "info")


class AlertFired(Fact, frozen=True, tag="alert.fired"):
    """The condition began to hold. The event's time is when the sender says it began."""

    headline: ClassVar[str] = "alert {title} fired ({severity})"
    integration: str
    """Id of the integration key it came through, such as ``key-alertmanager``."""
    sender: str
    """Kind of sender, the adapter's name: ``alertmanager``, ``pagerduty``."""
    fingerprint: str
    """The sender's own key for this alert, whole."""
    occurrence: int
    title: str
    severity: AlertSeverity
    service: str = ""
    """What it is about: the service label or routing key; empty when the sender does not say."""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    url: str = ""
    started_at: datetime | None = None
    """When the sender says that it began, which identifies the occurrence; None when it does not say. The event's time
    is the same unless the sender's clock runs far ahead."""
    receipt_seq: int = 0
    """Position in INTAKE of the payload as received."""


class AlertUpdated(Fact, frozen=True, tag="alert.updated"):
    """A firing alert changed its title or severity."""

    headline: ClassVar[str] = "alert {title} is now {severity}"
    title: str
    severity: AlertSeverity
    annotations: dict[str, str] = {}
    receipt_seq: int = 0


class AlertAcknowledged(Fact, frozen=True, tag="alert.acknowledged"):
    """The sender says that somebody has taken the alert in hand, on the sender's side."""

    headline: ClassVar[str] = "alert acknowledged at its sender"
    receipt_seq: int = 0


class AlertCleared(Fact, frozen=True, tag="alert.cleared"):
    """The condition stopped. The event's time is when the sender says it stopped."""

    headline: ClassVar[str] = "alert cleared: {title}"
    title: str = ""
    """What it was called when it cleared; empty in facts of older versions."""
    ended_at: datetime | None = None
    """When the sender says that it stopped; None when it does not say."""
    receipt_seq: int = 0
    because: str = ""
    """Why it counts as cleared though its sender did not say so: ``expired``."""


class AlertClearedUnseen(Fact, frozen=True, tag="alert.cleared_unseen"):
    """A clearing arrived for an occurrence whose firing was not received (yet): lost, late, or out of order."""

    headline: ClassVar[str] = "alert {title} cleared, its firing was never received"
    integration: str
    sender: str
    fingerprint: str
    title: str = ""
    started_at: datetime | None = None
    """When the sender says that occurrence began; a firing with this time that arrives later is already over."""
    ended_at: datetime | None = None
    """When the sender says that it stopped; None when it does not say."""
    receipt_seq: int = 0


class AlertPassedOver(Fact, frozen=True, tag="alert.passed_over"):
    """A firing alert neither opened nor joined an incident, and why."""

    headline: ClassVar[str] = "alert opened no incident: {reason}"
    occurrence: int
    rule: str
    reason: str
    route: str = ""
    """The route that decided it, from the root: ``default/payments``."""
    rules_seq: int = 0
    """Position of the rule set that decided; 0 for the built-in one."""


HoldCause = Literal["silenced", "inhibited", "muted", "flapping", "grouping", "snoozed"]


class AlertHeld(Fact, frozen=True, tag="alert.held"):
    """A firing alert is held back: it opens and joins nothing for now, and why. It is looked at again."""

    headline: ClassVar[str] = "alert held back ({because} by {held_by})"
    occurrence: int
    because: HoldCause
    """Which kind of rule holds it back."""
    held_by: str = ""
    """Id of the silence, name of the inhibition rule, time interval or route."""
    holder_alert_key: str = ""
    """The alert that inhibits it."""
    until_at: datetime | None = None
    """When it is looked at again at the latest; None when that depends on another event."""
    route: str = ""
    rules_seq: int = 0


class AlertNoted(Fact, frozen=True, tag="alert.noted"):
    """Somebody wrote something about the alert at its sender."""

    headline: ClassVar[str] = "{author} at the sender: {text}"
    text: str
    author: str = ""
    """Whom the sender names."""
    receipt_seq: int = 0


class AlertSnoozed(Fact, frozen=True, tag="alert.snoozed"):
    """The sender asks not to be reminded of the alert for a while."""

    headline: ClassVar[str] = "alert snoozed until {until_at}"
    until_at: datetime
    receipt_seq: int = 0


AlertFact = (
    AlertFired
    | AlertUpdated
    | AlertAcknowledged
    | AlertCleared
    | AlertClearedUnseen
    | AlertPassedOver
    | AlertHeld
    | AlertNoted
    | AlertSnoozed
)
