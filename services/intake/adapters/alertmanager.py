"""Prometheus Alertmanager, webhook receiver, payload version 4 (Alertmanager's docs/configuration.md, notify/webhook).

Alertmanager reads only the status of the answer: any 2xx is delivered, every 4xx is final for that notification, 5xx is
retried until the next one is due. An alert is identified by its fingerprint, an occurrence by ``startsAt``.
"""

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter
from services.intake.payload import accepted, decoded_as
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, moment, severity_of

# A group holds a few hundred alerts; 10,000 of the smallest would not fit into a request anyway.
ALERTS_PER_REQUEST_MAX = 10_000

# Labels whose value names what an alert is about, the most telling first.
_SERVICE_LABELS = ("service", "app")


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of a notification."""

    status: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    generator_url: str = msgspec.field(default="", name="generatorURL")
    fingerprint: Annotated[str, msgspec.Meta(max_length=FINGERPRINT_LENGTH_MAX)] = ""


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A notification about one group. Fields that later versions add are ignored."""

    alerts: Annotated[list[Alert], msgspec.Meta(max_length=ALERTS_PER_REQUEST_MAX)]
    version: str = ""
    group_key: str = ""
    truncated_alerts: int = 0
    receiver: str = ""
    external_url: str = msgspec.field(default="", name="externalURL")


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    return decoded_as(_DECODER, receipt.body, "an Alertmanager notification")


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    said = tuple(_signal(alert, payload) for alert in payload.alerts)
    if not payload.group_key:
        return said
    left_out = cut_off(
        "Alertmanager", payload.group_key, payload.truncated_alerts, payload.receiver, payload.external_url
    )
    return (*said, left_out)


def _signal(alert: Alert, payload: Payload) -> Signal:
    resolved = alert.status == "resolved"
    return Signal(
        # A status that we do not know is taken as firing: a monitoring system must not be able to go silent by it.
        state="resolved" if resolved else "firing",
        fingerprint=alert.fingerprint or _fingerprint(alert.labels),
        title=title_of(alert.labels, alert.annotations),
        severity=severity_of(alert.labels.get("severity", "")),
        service=service_of(alert.labels),
        labels=alert.labels,
        annotations=alert.annotations,
        url=alert.generator_url or payload.external_url,
        started_at=moment(alert.starts_at),
        # A firing alert has the zero time, or the time at which it would be given up.
        ended_at=moment(alert.ends_at) if resolved else None,
    )


def cut_off(sender: str, group_key: str, count: int, receiver: str, url: str) -> Signal:
    """With a limit of alerts a sender leaves some out and says how many: lost data, so an alert of its own.

    Args:
        sender: what people call it.
        group_key: of the group whose notification it is.
        count: of alerts that were left out; with none the alert about it is over.
        receiver: whose limit it is.
        url: of the sender.
    """
    return Signal(
        state="firing" if count > 0 else "resolved",
        fingerprint=f"truncatedAlerts:{hashlib.sha256(group_key.encode()).hexdigest()}",
        title=f"{sender} leaves alerts out of its notifications",
        severity="warning",
        labels={"alertname": "RecountTruncatedAlerts", "receiver": receiver},
        annotations={"group": group_key, "left_out": str(count), "fix": "raise max_alerts of the receiver"},
        url=url,
        only_if_known=True,
    )


def _fingerprint(labels: dict[str, str]) -> str:
    # Alertmanager before 0.19 sends none.
    return hashlib.sha256(msgspec.json.encode(sorted(labels.items()))).hexdigest()[:16]


def title_of(labels: dict[str, str], annotations: dict[str, str]) -> str:
    """What an alert is called: its rule, else its summary, else all its labels."""
    return (
        labels.get("alertname")
        or annotations.get("summary")
        or ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    )


def service_of(labels: dict[str, str]) -> str:
    """The service that an alert's labels name."""
    return next((labels[name] for name in _SERVICE_LABELS if labels.get(name)), "")


ADAPTER = Adapter(
    name="alertmanager",
    parse=parse,
    signals=signals,
    accepted=lambda payload, _receipt: accepted(len(payload.alerts)),
)
