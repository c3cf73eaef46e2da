"""Grafana unified alerting, contact point "Webhook" (grafana.com, Configure webhook notifications).

The payload is that of Alertmanager's webhook with more fields. Grafana reads only the status and does not try again:
what it could not send comes with the next notification of the group, if the alert still fires then. It posts or, where
it is told so, puts. An alert is identified by its fingerprint, an occurrence by ``startsAt``. A key may be given as
password of basic authentication or as credentials of the authorization header. Since 12.0 it signs with an HMAC secret
of the contact point, if it is given one: the body, or ``<timestamp>:<body>`` where it is told the timestamp's header.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Route
from services.intake.adapters.alertmanager import cut_off, service_of, title_of
from services.intake.adapters.alertmanager_api import fingerprint
from services.intake.payload import accepted, decoded_as, require_at_most
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, moment, severity_of, words
from services.intake.signature import hmac_sha256

# Grafana sends every alert of a group unless "Max Alerts" is set; more than this would not fit into a request.
ALERTS_PER_REQUEST_MAX = 10_000

SIGNATURE_HEADER = "x-grafana-alerting-signature"
"""Grafana's own choice; another one cannot be checked."""
TIMESTAMP_HEADER = "x-grafana-alerting-timestamp"
"""What "timestamp header" must be set to, if it is set."""

# Fields of an alert that lead somewhere.
_LINKS = ("silence_url", "dashboard_url", "panel_url", "image_url")


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of a notification."""

    status: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    generator_url: str = msgspec.field(default="", name="generatorURL")
    fingerprint: Annotated[str, msgspec.Meta(max_length=FINGERPRINT_LENGTH_MAX)] = ""
    silence_url: str = msgspec.field(default="", name="silenceURL")
    dashboard_url: str = msgspec.field(default="", name="dashboardURL")
    panel_url: str = msgspec.field(default="", name="panelURL")
    image_url: str = msgspec.field(default="", name="imageURL")
    values: dict[str, Any] | None = None
    value_string: str = ""


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A notification about one group. Fields that later versions add are ignored."""

    alerts: list[Alert]
    receiver: str = ""
    org_id: int = 0
    external_url: str = msgspec.field(default="", name="externalURL")
    group_key: str = ""
    truncated_alerts: int = 0


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    payload = decoded_as(_DECODER, receipt.body, "a notification of Grafana")
    require_at_most(ALERTS_PER_REQUEST_MAX, len(payload.alerts), "alerts")
    for number, alert in enumerate(payload.alerts, start=1):
        if not alert.fingerprint and not alert.labels:
            raise InvalidPayload(f"alert {number} has neither fingerprint nor labels, so nothing tells it from others")
    return payload


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    said = tuple(_signal(alert, payload) for alert in payload.alerts)
    if not payload.group_key:
        return said
    left_out = cut_off("Grafana", payload.group_key, payload.truncated_alerts, payload.receiver, payload.external_url)
    return (*said, left_out)


def _signal(alert: Alert, payload: Payload) -> Signal:
    is_resolved = alert.status == "resolved"
    annotations = dict(alert.annotations)
    annotations |= {f"value_{name}": words(value) for name, value in (alert.values or {}).items()}
    if alert.value_string and not alert.values:
        annotations["values"] = alert.value_string
    annotations |= {name: getattr(alert, name) for name in _LINKS if getattr(alert, name)}
    labels = dict(alert.labels)
    if payload.org_id:
        labels.setdefault("grafana_org", str(payload.org_id))
    return Signal(
        # A status that we do not know is taken as firing: a monitoring system must not be able to go silent by it.
        state="resolved" if is_resolved else "firing",
        fingerprint=alert.fingerprint or fingerprint(tuple(sorted(alert.labels.items()))),
        title=title_of(alert.labels, alert.annotations),
        severity=severity_of(alert.labels.get("severity", "")),
        service=service_of(alert.labels),
        labels=labels,
        annotations=annotations,
        url=alert.generator_url or alert.panel_url or alert.dashboard_url or payload.external_url,
        started_at=moment(alert.starts_at),
        ended_at=moment(alert.ends_at) if is_resolved else None,
    )


ADAPTER = Adapter(
    name="grafana",
    parse=parse,
    signals=signals,
    accepted=lambda payload, _receipt: accepted(len(payload.alerts)),
    routes=(Route("PUT", "/hooks/grafana"),),
    signature=hmac_sha256(SIGNATURE_HEADER, timestamp_header=TIMESTAMP_HEADER),
)
