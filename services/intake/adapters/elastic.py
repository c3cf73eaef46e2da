"""Elastic: a Kibana rule with a Webhook connector, whose body is the template in ``docs/senders.md``.

Kibana has no body of its own: what is sent is what the action's template says, with the variables of
"Rule action variables" (elastic.co/guide/en/kibana). Two actions are needed, one for the rule's own groups and one for
``Recovered``; both use the same template. Kibana repeats after 429 (``Retry-After``) and 5xx.

The alert is the rule and its alert id. Security detection rules (``siem.*``) never recover: each run of one that found
something is an occurrence.
"""

from typing import Any

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, identity, object_of, said, text_at, unknown_severity
from services.intake.signal import Signal, lenient_moment, severity_of

_RECOVERED = "recovered"
# Fields of the template that become labels under the same name.
_LABELS = ("rule_name", "rule_type", "rule_tags", "space", "action_group", "group", "host", "environment")
_ANNOTATIONS = ("reason", "message", "value", "threshold", "alert_uuid", "flapping")


def parse(receipt: Receipt) -> dict[str, Any]:
    """See `Adapter.parse`."""
    said_by_rule = object_of(receipt, "the template's object")
    errors = [f"{name} is missing" for name in ("rule_id", "action_group") if not text_at(said_by_rule, name)]
    if errors:
        raise InvalidPayload(*errors, "use the template in docs/senders.md, with the action frequency for each alert")
    return said_by_rule


def signals(event: dict[str, Any], receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    is_over = text_at(event, "action_group").lower() == _RECOVERED
    run_at = lenient_moment(text_at(event, "date"))
    never_recovers = text_at(event, "rule_type").startswith("siem.")
    severity = text_at(event, "severity")
    labels = {name: text_at(event, name) for name in _LABELS} | unknown_severity(severity)
    return (
        Signal(
            state="resolved" if is_over else "firing",
            fingerprint=identity(text_at(event, "rule_id"), text_at(event, "alert_id")),
            title=text_at(event, "rule_name") or text_at(event, "rule_id"),
            severity=severity_of(severity),
            service=text_at(event, "service"),
            labels=said(labels),
            annotations=said({name: text_at(event, name) for name in _ANNOTATIONS}),
            url=text_at(event, "url") or text_at(event, "rule_url"),
            # A run's time changes while the alert is active, so it begins nothing; a detection is over at once.
            started_at=(run_at or receipt.received_at) if never_recovers and not is_over else None,
            ended_at=run_at if is_over else None,
            observed_at=run_at,
        ),
    )


ADAPTER = Adapter(
    name="elastic",
    parse=parse,
    signals=signals,
    accepted=lambda _event, _receipt: accepted(1),
)
