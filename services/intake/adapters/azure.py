"""Azure Monitor, webhook of an action group with the common alert schema (Azure Monitor, "Common alert schema").

An alert is known by its ``alertId``, which the notification that it is resolved repeats; a rule that fires again makes
a new one. ``Sev0`` to ``Sev4`` are critical, error, warning, informational and verbose. Stateless rules, such as those
on the activity log, never say that they are over: let a rule expire them.

Azure takes any 2xx as delivered, repeats 408, 429, 503, 504 and a missing answer, and gives up at anything else.
"""

from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import quote

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, as_object, decoded_as, said
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, lenient_moment, words

SCHEMA_ID = "azureMonitorCommonAlertSchema"

SEVERITIES: dict[str, AlertSeverity] = {
    "sev0": "critical",
    "sev1": "error",
    "sev2": "warning",
    "sev3": "info",
    "sev4": "info",
}
"""Azure's severities, in lower case."""

_PORTAL = "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"


class Essentials(msgspec.Struct, frozen=True, rename="camel"):
    """What every alert has, whatever it measures."""

    alert_id: Annotated[str, msgspec.Meta(min_length=1, max_length=FINGERPRINT_LENGTH_MAX)]
    alert_rule: str = ""
    severity: str = ""
    signal_type: str | None = None
    monitor_condition: str = ""
    monitoring_service: str | None = None
    alert_target_ids: list[str] | None = msgspec.field(default=None, name="alertTargetIDs")
    configuration_items: list[str] | None = None
    fired_date_time: str | None = None
    resolved_date_time: str | None = None
    description: str | None = None
    investigation_link: str | None = None


class Data(msgspec.Struct, frozen=True, rename="camel"):
    """The alert."""

    essentials: Essentials
    alert_context: Any = None
    custom_properties: dict[str, Any] | None = None


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """A notification. Fields that later versions add are ignored."""

    schema_id: str
    data: Data


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    payload = decoded_as(
        _DECODER, receipt.body, "an alert of Azure's common schema", hint="enable it in the action group"
    )
    if payload.schema_id != SCHEMA_ID:
        raise InvalidPayload(
            f"schemaId is {payload.schema_id[:60]!r}; enable the common alert schema in the action group"
        )
    return payload


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    alert = payload.data.essentials
    is_over = alert.monitor_condition.lower() == "resolved"
    criteria = _criteria(payload.data.alert_context)
    custom = {name: words(value) for name, value in (payload.data.custom_properties or {}).items()}
    targets = alert.alert_target_ids or []
    labels = {
        "alertname": alert.alert_rule,
        "monitoring_service": alert.monitoring_service or "",
        "signal_type": alert.signal_type or "",
        "azure_severity": alert.severity,
        "target": targets[0] if targets else "",
        "resource": (alert.configuration_items or [t.rpartition("/")[2] for t in targets[:1]] or [""])[0],
        "resource_group": _segment(targets, "resourcegroups"),
        "subscription": _segment(targets, "subscriptions"),
    }
    return (
        Signal(
            # A condition that we do not know is taken as firing: a monitoring system must not go silent by it.
            state="resolved" if is_over else "firing",
            fingerprint=alert.alert_id,
            title=alert.alert_rule or alert.alert_id,
            severity=SEVERITIES.get(alert.severity.lower(), "unknown"),
            service=custom.get("service", ""),
            labels=said(_dimensions(criteria) | labels | custom),
            annotations=said({"description": alert.description or "", "condition": _condition(criteria)}),
            url=alert.investigation_link or f"{_PORTAL}{quote(alert.alert_id, safe='')}",
            started_at=lenient_moment(alert.fired_date_time or ""),
            ended_at=lenient_moment(alert.resolved_date_time or "") if is_over else None,
        ),
    )


def _criteria(context: object) -> list[dict[str, Any]]:
    criteria = as_object(as_object(context).get("condition")).get("allOf")
    return [one for one in criteria if isinstance(one, dict)] if isinstance(criteria, list) else []


def _dimensions(criteria: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for criterion in criteria:
        dimensions = criterion.get("dimensions")
        for one in dimensions if isinstance(dimensions, list) else []:
            if isinstance(one, dict):
                found.setdefault(words(one.get("name")), words(one.get("value")))
    found.pop("", None)
    return found


def _condition(criteria: list[dict[str, Any]]) -> str:
    """Such as ``Percentage CPU GreaterThan 25: 31.1105``."""
    told = []
    for one in criteria:
        measured = words(one.get("metricName") or one.get("searchQuery"))
        value = words(one.get("metricValue"))
        told.append(f"{measured} {words(one.get('operator'))} {words(one.get('threshold'))}: {value}".strip())
    return "; ".join(told)


def _segment(targets: list[str], name: str) -> str:
    parts = targets[0].split("/") if targets else []
    return next((after for before, after in pairwise(parts) if before.lower() == name), "")


ADAPTER = Adapter(
    name="azure",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
)
