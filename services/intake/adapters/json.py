"""Plain JSON: Recount's own small schema, for scripts and for senders that let you write the payload.

One object, or a list of them::

    {"title": "checkout answers 500", "state": "firing", "key": "checkout-5xx", "severity": "critical",
     "service": "checkout", "labels": {"region": "eu"}, "description": "…", "url": "https://…",
     "started_at": "2026-03-01T14:02:00Z", "ended_at": null}

``title`` is required for a firing alert, ``key`` for the others; the rest is optional. ``state`` is ``firing`` (the
default), ``acknowledged`` or ``resolved``. Without ``key`` the title is the key. ``started_at``, when given, must stay
the same while the alert fires. A number or a boolean as a label's value is kept as text.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.payload import decoded_as, require_at_most, unknown_severity
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, State, moment, severity_of, words
from services.intake.signature import hmac_sha256

SIGNATURE_HEADER = "x-hub-signature-256"
"""What GitHub, and many who followed it, sign a webhook in."""

# As many as any sender puts into one group; more belong into several requests.
ALERTS_PER_REQUEST_MAX = 1_000

STATES: dict[str, State] = {
    "firing": "firing",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    # What other tools call the same.
    "trigger": "firing",
    "triggered": "firing",
    "alerting": "firing",
    "open": "firing",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "ok": "resolved",
    "closed": "resolved",
    "cleared": "resolved",
}
"""Words for the state of an alert, in lower case."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert. Fields beyond these are ignored."""

    title: str = ""
    state: str = "firing"
    key: Annotated[str, msgspec.Meta(max_length=FINGERPRINT_LENGTH_MAX)] = ""
    severity: str = ""
    service: str = ""
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    description: str = ""
    url: str = ""
    started_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    ended_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


_DECODER = msgspec.json.Decoder(Alert | list[Alert])


def parse(receipt: Receipt) -> list[Alert]:
    """See `Adapter.parse`."""
    decoded = decoded_as(_DECODER, receipt.body, "an alert")
    alerts = decoded if isinstance(decoded, list) else [decoded]
    require_at_most(ALERTS_PER_REQUEST_MAX, len(alerts), "alerts")
    errors = [fault for number, alert in enumerate(alerts, start=1) for fault in faults(alert, f"alert {number}")]
    if errors:
        raise InvalidPayload(*errors)
    return alerts


def faults(alert: Alert, name: str) -> list[str]:
    """What is wrong with an alert, one sentence a fault."""
    state = STATES.get(alert.state.strip().lower())
    if state is None:
        return [f"{name}: state {alert.state[:40]!r} is not firing, acknowledged or resolved"]
    if state == "firing" and not alert.title.strip():
        return [f"{name}: title is missing"]
    if not alert.key and not alert.title.strip():
        return [f"{name}: key is missing; it says which alert is {state}"]
    if len(alert.key or alert.title) > FINGERPRINT_LENGTH_MAX:
        return [f"{name}: give a key; the title has more than {FINGERPRINT_LENGTH_MAX} characters"]
    return []


def signal_of(alert: Alert) -> Signal:
    """What a checked alert says."""
    state = STATES[alert.state.strip().lower()]
    labels = unknown_severity(alert.severity) | {name: words(value) for name, value in alert.labels.items()}
    annotations = {name: words(value) for name, value in alert.annotations.items()}
    if alert.description:
        annotations["description"] = alert.description
    return Signal(
        state=state,
        fingerprint=alert.key or alert.title,
        title=alert.title or alert.key,
        severity=severity_of(alert.severity),
        service=alert.service,
        labels=labels,
        annotations=annotations,
        url=alert.url,
        started_at=moment(alert.started_at),
        ended_at=moment(alert.ended_at) if state == "resolved" else None,
    )


def signals(alerts: list[Alert], _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    return tuple(signal_of(alert) for alert in alerts)


def _accepted(alerts: list[Alert], _receipt: Receipt) -> Reply:
    keys = [alert.key or alert.title for alert in alerts]
    return Reply(202, msgspec.json.encode({"status": "accepted", "alerts": len(alerts), "keys": keys}))


ADAPTER = Adapter(
    name="json",
    parse=parse,
    signals=signals,
    accepted=_accepted,
    signature=hmac_sha256(SIGNATURE_HEADER, prefix="sha256="),
)
