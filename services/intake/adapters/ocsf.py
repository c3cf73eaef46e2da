"""OCSF findings (schema.ocsf.io): Security Finding 2001, Detection Finding 2004 and Incident Finding 2005.

One event, or a list of them. The alert is the finding: its ``uid`` within its product. It is over when it is closed
(``activity_id`` 3), or its status says resolved, suppressed, archived, deleted or closed. A finding whose check passed
(``status_code`` or ``compliance.status`` PASS) says that there is nothing. One in progress fires and is acknowledged.

Times are milliseconds by the schema; products that write seconds (Prowler) are understood.
"""

from typing import Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import (
    accepted,
    at,
    epoch_moment,
    identity,
    json_of,
    require_at_most,
    said,
    text_at,
    texts_at,
)
from services.intake.signal import Signal, severity_of

# As many as a batch of a forwarder holds; more belong into several requests.
FINDINGS_PER_REQUEST_MAX = 1_000

_CLASSES = {2001: "Security Finding", 2004: "Detection Finding", 2005: "Incident Finding"}
_SEVERITIES: dict[int, AlertSeverity] = {1: "info", 2: "info", 3: "warning", 4: "error", 5: "critical", 6: "critical"}
"""``severity_id``: informational, low, medium, high, critical, fatal."""

# ``state_id`` of 2001: New, In Progress, Suppressed, Resolved. ``status_id`` of 2004: the same, Archived, Deleted; of
# 2005: New, In Progress, On Hold, Resolved, Closed.
_OVER = {2001: (3, 4), 2004: (3, 4, 5, 6), 2005: (4, 5)}
_IN_HAND = {2001: (2,), 2004: (2,), 2005: (2, 3)}
_CLOSE = 3
_PASSED = ("pass", "passed")


class Finding(msgspec.Struct, frozen=True):
    """One finding, checked."""

    class_uid: int
    fingerprint: str
    title: str
    event: dict[str, Any]


def parse(receipt: Receipt) -> list[Finding]:
    """See `Adapter.parse`."""
    decoded = json_of(receipt, "an OCSF finding")
    events = decoded if isinstance(decoded, list) else [decoded]
    require_at_most(FINDINGS_PER_REQUEST_MAX, len(events), "findings", status=413)
    findings: list[Finding] = []
    errors: list[str] = []
    for number, event in enumerate(events, start=1):
        class_uid, title = at(event, "class_uid"), _title(event)
        uid = _uid(event)
        if not isinstance(class_uid, int) or class_uid not in _CLASSES:
            known = ", ".join(f"{uid} {name}" for uid, name in _CLASSES.items())
            errors.append(f"event {number}: class_uid {str(class_uid)[:40]} is none of {known}")
        elif not uid:
            errors.append(f"event {number}: it has no id: finding_info.uid, finding.uid or metadata.correlation_uid")
        else:
            product = text_at(event, "metadata", "product", "uid") or text_at(event, "metadata", "product", "name")
            findings.append(Finding(class_uid, identity(product, uid), title or uid, event))
    if errors:
        raise InvalidPayload(*errors)
    return findings


def _uid(event: Any) -> str:
    """An incident has no id of its own in the schema; what connects its events is the nearest."""
    own = text_at(event, "finding_info", "uid") or text_at(event, "finding", "uid")
    connecting = text_at(event, "metadata", "correlation_uid") or text_at(event, "ticket", "uid")
    listed = at(event, "finding_info_list")
    members = sorted(text_at(each, "uid") for each in listed) if isinstance(listed, list) else []
    return own or connecting or text_at(event, "src_url") or " ".join(member for member in members if member)


def _title(event: Any) -> str:
    return (
        text_at(event, "finding_info", "title")
        or text_at(event, "finding", "title")
        or text_at(event, "message")
        or text_at(event, "desc")
        or text_at(event, "finding_info_list", 0, "title")
    )


def signals(findings: list[Finding], _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    return tuple(signal for finding in findings for signal in _signals(finding))


def _signals(finding: Finding) -> tuple[Signal, ...]:
    event = finding.event
    status = at(event, "state_id" if finding.class_uid == 2001 else "status_id")
    told_at = epoch_moment(at(event, "time"))
    has_passed = text_at(event, "status_code").lower() in _PASSED or (
        text_at(event, "compliance", "status").lower() in _PASSED
    )
    is_over = has_passed or at(event, "activity_id") == _CLOSE or status in _OVER[finding.class_uid]
    firing = Signal(
        state="firing",
        fingerprint=finding.fingerprint,
        title=finding.title,
        severity=_severity(event),
        labels=_labels(finding),
        annotations=_annotations(event),
        url=_info(event, "src_url") or text_at(event, "src_url"),
        # The only time that the schema promises to stay: when the finding was first observed.
        started_at=epoch_moment(_info(event, "first_seen_time")),
        observed_at=told_at,
    )
    if is_over:
        return (msgspec.structs.replace(firing, state="resolved", ended_at=told_at, only_if_known=has_passed),)
    if status in _IN_HAND[finding.class_uid]:
        return firing, msgspec.structs.replace(firing, state="acknowledged")
    return (firing,)


def _severity(event: dict[str, Any]) -> AlertSeverity:
    by_id = at(event, "severity_id")
    return (_SEVERITIES.get(by_id) if isinstance(by_id, int) else None) or severity_of(text_at(event, "severity"))


def _info(event: dict[str, Any], name: str) -> str:
    return text_at(event, "finding_info", name) or text_at(event, "finding", name)


def _labels(finding: Finding) -> dict[str, str]:
    event = finding.event
    resources = at(event, "resources")
    named = [text_at(each, "name") or text_at(each, "uid") for each in resources] if isinstance(resources, list) else []
    types = texts_at(event, "finding_info", "types") or texts_at(event, "finding", "types")
    return said(
        {
            "class": _CLASSES[finding.class_uid],
            "product": text_at(event, "metadata", "product", "name"),
            "vendor": text_at(event, "metadata", "product", "vendor_name"),
            "types": ",".join(types),
            "resource": next((name for name in named if name), ""),
            "hostname": text_at(event, "device", "hostname"),
            "account": text_at(event, "cloud", "account", "uid") or text_at(event, "cloud", "account_uid"),
            "region": text_at(event, "cloud", "region"),
            # Only where Recount has no word of its own for it.
            "severity": text_at(event, "severity").strip() if _severity(event) == "unknown" else "",
        }
    )


def _annotations(event: dict[str, Any]) -> dict[str, str]:
    return said(
        {
            "description": _info(event, "desc") or text_at(event, "desc"),
            "message": text_at(event, "message"),
            "status": text_at(event, "status") or text_at(event, "state"),
            "status_detail": text_at(event, "status_detail"),
            "remediation": text_at(event, "remediation", "desc") or text_at(event, "finding", "remediation", "desc"),
            "comment": text_at(event, "comment"),
        }
    )


ADAPTER = Adapter(
    name="ocsf",
    parse=parse,
    signals=signals,
    accepted=lambda findings, _receipt: accepted(len(findings)),
    invalid_statuses=(400, 413),
)
