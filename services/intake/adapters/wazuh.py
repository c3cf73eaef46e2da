"""Wazuh: one line of ``alerts.json``, as integratord hands it to an integration script.

integratord cannot post by itself: ``docs/senders.md`` has ``custom-recount``, the script that does, keeps what could
not be delivered, and tries again.

An alert of Wazuh is a moment, and never resolved: the rule on one agent is the alert, each line of its own time a new
occurrence. Levels become severities as Wazuh's dashboard counts them: 0 to 6 low, 7 to 11 medium, 12 to 14 high, 15 and
16 critical.
"""

from typing import Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, at, identity, object_of, said, text_at, texts_at
from services.intake.signal import Signal, lenient_moment

# Least level of each severity, the highest first.
_LEVELS: tuple[tuple[int, AlertSeverity], ...] = ((15, "critical"), (12, "error"), (7, "warning"), (0, "info"))
# Wazuh's own name for whatever a decoder found out about the origin.
_DATA_LABELS = ("srcip", "dstip", "srcuser", "dstuser", "url")


class Payload(msgspec.Struct, frozen=True):
    """An alert, checked."""

    rule_id: str
    level: int
    alert: dict[str, Any]


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    alert = object_of(receipt, "a Wazuh alert")
    rule_id, level = text_at(alert, "rule", "id"), text_at(alert, "rule", "level")
    errors = [] if rule_id else ["rule.id is missing"]
    if not level.isdecimal() or len(level) > 3:
        errors.append(f"rule.level {level[:40]!r} is not a number from 0 to 16")
    if errors:
        raise InvalidPayload(*errors)
    return Payload(rule_id, int(level), alert)


def signals(payload: Payload, receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    alert = payload.alert
    agent = text_at(alert, "agent", "name")
    data = at(alert, "data")
    labels = {
        "rule_id": payload.rule_id,
        "level": str(payload.level),
        "groups": ",".join(texts_at(alert, "rule", "groups")),
        "mitre": ",".join(texts_at(alert, "rule", "mitre", "id")),
        "agent": agent,
        "agent_ip": text_at(alert, "agent", "ip"),
        "manager": text_at(alert, "manager", "name"),
        "decoder": text_at(alert, "decoder", "name"),
    } | {name: text_at(data, name) for name in _DATA_LABELS}
    own = at(alert, "agent", "labels")
    annotations = {
        "wazuh_id": text_at(alert, "id"),
        "location": text_at(alert, "location"),
        "full_log": text_at(alert, "full_log"),
        "data": text_at(alert, "data"),
    }
    return (
        Signal(
            state="firing",
            fingerprint=identity(payload.rule_id, text_at(alert, "agent", "id"), agent),
            title=text_at(alert, "rule", "description") or f"Wazuh rule {payload.rule_id}",
            severity=next(severity for least, severity in _LEVELS if payload.level >= least),
            service=text_at(own, "service"),
            labels=said(labels),
            annotations=said(annotations),
            started_at=lenient_moment(text_at(alert, "timestamp")) or receipt.received_at,
        ),
    )


ADAPTER = Adapter(
    name="wazuh",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
)
