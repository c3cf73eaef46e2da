"""Falco, ``http_output`` with ``json_output: true`` and falcosidekick's webhook (falco.org/docs/concepts/outputs).

A detection is a moment, not a condition: Falco never says that it is over. So the alert is the rule at one place (host,
container, pod), and each detection with a time of its own is a new occurrence of it. Rules with ``expire_after``, or a
person, end it.

Falco sends once and does not try again; falcosidekick takes any 2xx.
"""

from datetime import datetime
from typing import Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, as_object, identity, object_of, said, text_at, texts_at
from services.intake.signal import Signal, lenient_moment, severity_of, words

_SEVERITIES: dict[str, AlertSeverity] = {"emergency": "critical", "alert": "critical", "critical": "critical"}
# Output fields that say where it happened; together with the rule they are the alert.
_PLACE = ("k8s.ns.name", "k8s.pod.name", "container.id", "container.name")


class Detection(msgspec.Struct, frozen=True):
    """One line of Falco's output, checked."""

    rule: str
    happened_at: datetime | None
    event: dict[str, Any]


def parse(receipt: Receipt) -> Detection:
    """See `Adapter.parse`."""
    event = object_of(receipt, "a Falco event")
    rule = text_at(event, "rule")
    if not rule:
        raise InvalidPayload("rule is missing; set json_output: true in falco.yaml")
    return Detection(rule, lenient_moment(text_at(event, "time")), event)


def signals(detection: Detection, receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    event = detection.event
    outputs = {name: words(value) for name, value in as_object(event.get("output_fields")).items()}
    host = text_at(event, "hostname")
    priority = text_at(event, "priority")
    labels = {
        "rule": detection.rule,
        "priority": priority,
        "hostname": host,
        "source": text_at(event, "source"),
        "tags": ",".join(texts_at(event, "tags")),
        "namespace": outputs.get("k8s.ns.name", ""),
        "pod": outputs.get("k8s.pod.name", ""),
        "container": outputs.get("container.name", ""),
        "image": outputs.get("container.image.repository", ""),
    }
    annotations = {"output": text_at(event, "output")} | {f"field_{name}": value for name, value in outputs.items()}
    return (
        Signal(
            state="firing",
            fingerprint=identity(detection.rule, host, *(outputs.get(name, "") for name in _PLACE)),
            title=detection.rule,
            severity=_SEVERITIES.get(priority.lower()) or severity_of(priority),
            labels=said(labels),
            annotations=said(annotations),
            started_at=detection.happened_at or receipt.received_at,
        ),
    )


ADAPTER = Adapter(
    name="falco",
    parse=parse,
    signals=signals,
    accepted=lambda _detection, _receipt: accepted(1),
)
