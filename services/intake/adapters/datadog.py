"""Datadog, Webhooks integration (Datadog, "Webhooks": variables and retries). The payload is a template that the user
pastes; docs/senders.md has it. Datadog's own default payload is understood too, by the state in its title.

An alert is a monitor (``$ALERT_ID``) and the group that triggered it (``$ALERT_SCOPE``). ``$ALERT_CYCLE_KEY`` names one
occurrence of it, from its triggering until it recovers.

Datadog repeats 5xx and lost connections up to five times within 15 seconds each, and never a 4xx.
"""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, decoded_as, epoch_moment, identity, said
from services.intake.signal import Signal, severity_of, words

PRIORITIES: dict[str, AlertSeverity] = {"p1": "critical", "p2": "error", "p3": "warning", "p4": "info", "p5": "info"}
"""Priorities of monitors, in lower case."""

_TYPES: dict[str, AlertSeverity] = {"error": "error", "warning": "warning", "success": "info", "info": "info"}
"""``$ALERT_TYPE``."""

_STATE_IN_TITLE = re.compile(r"\s*\[([A-Za-z -]+?)(?: on \{[^\]]*\})?\]\s*")
# ``$ALERT_TITLE`` may begin with the state too: an alert must not be called another thing once it has recovered. Other
# brackets belong to the monitor's name.
_TOLD_IN_FRONT = re.compile(
    r"\s*\[(?:Re-)?(?:Triggered|Recovered|Warn|No Data|Renotify)(?: on \{[^\]]*\})?\]\s*", re.IGNORECASE
)
# A variable that Datadog has no value for, or does not know, stays as it was written.
_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*(?:\[[^\]]*\])?")

_Text = Annotated[Any, msgspec.Meta(description="text, or a number where the template has no quotes")]


class Payload(msgspec.Struct, frozen=True):
    """What the template of docs/senders.md makes; ``body`` and ``org`` are of Datadog's default payload."""

    alert_id: _Text = ""
    alert_cycle_key: _Text = ""
    aggreg_key: _Text = ""
    alert_transition: _Text = ""
    alert_type: _Text = ""
    alert_title: _Text = ""
    title: _Text = ""
    priority: _Text = ""
    scope: _Text = ""
    tags: _Text = ""
    hostname: _Text = ""
    metric: _Text = ""
    query: _Text = ""
    status: _Text = ""
    message: _Text = ""
    body: _Text = ""
    date: _Text = ""
    id: _Text = ""
    link: _Text = ""
    snapshot: _Text = ""
    event_type: _Text = ""
    org: _Text = ""

    def text(self, name: str) -> str:
        """A field as text, empty when Datadog put nothing in."""
        value = words(getattr(self, name)).strip()
        return "" if _VARIABLE.fullmatch(value) else value


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    payload = decoded_as(
        _DECODER, receipt.body, "the payload of docs/senders.md", hint="leave 'Encode as form' unticked"
    )
    if not _transition(payload):
        raise InvalidPayload(
            "alert_transition is missing, and the title does not begin with a state; use the payload of docs/senders.md"
        )
    if not payload.text("alert_id") and not _plain_title(payload):
        raise InvalidPayload("neither alert_id nor a title says which alert it is; use the payload of docs/senders.md")
    return payload


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    transition = _transition(payload).lower()
    is_over = transition.startswith("recovered") or (
        transition == "renotify" and payload.text("alert_type").lower() == "success"
    )
    tags = _tags(payload.text("tags"))
    happened_at = epoch_moment(payload.text("date"))
    title = _TOLD_IN_FRONT.sub("", payload.text("alert_title")) or _plain_title(payload)
    labels = {
        "alertname": title,
        "monitor": payload.text("alert_id"),
        "scope": payload.text("scope"),
        "host": payload.text("hostname"),
        "metric": payload.text("metric"),
        "priority": payload.text("priority"),
        "transition": _transition(payload),
        "event_type": payload.text("event_type"),
    }
    annotations = {
        "message": payload.text("message") or payload.text("body"),
        "query": payload.text("query"),
        "status": payload.text("status"),
        "snapshot": payload.text("snapshot"),
        "cycle": payload.text("alert_cycle_key"),
    }
    return (
        Signal(
            # A transition that we do not know is taken as firing: a monitoring system must not go silent by it.
            state="resolved" if is_over else "firing",
            fingerprint=_fingerprint(payload),
            title=title or f"Datadog monitor {payload.text('alert_id')}",
            severity=_severity(payload, transition),
            service=tags.get("service", ""),
            labels=said(tags | labels),
            annotations=said(annotations),
            url=payload.text("link") if urlsplit(payload.text("link")).scheme in ("http", "https") else "",
            # A date is that of the event and differs with every notification, so it identifies no occurrence.
            observed_at=happened_at,
        ),
    )


def _transition(payload: Payload) -> str:
    """Such as ``Triggered``, ``Re-Triggered``, ``Warn``, ``No Data``, ``Renotify``, ``Recovered``."""
    named = payload.text("alert_transition")
    if named:
        return named
    found = _STATE_IN_TITLE.match(payload.text("title"))
    return found[1].strip() if found else ""


def _plain_title(payload: Payload) -> str:
    """The title without the states in front: ``[Triggered on {host:a}] [P2] Disk`` is ``Disk``."""
    title = payload.text("title")
    plain = title
    while found := re.match(r"\s*\[[^\]]*\]\s*", plain):
        plain = plain[found.end() :]
    # A monitor may have a name of brackets alone.
    return plain or _STATE_IN_TITLE.sub("", title, count=1)


def _fingerprint(payload: Payload) -> str:
    monitor, scope = payload.text("alert_id"), payload.text("scope")
    if not monitor:
        return identity(f"title:{_plain_title(payload)}")
    # Without a scope in the template the aggregation key tells the groups of one monitor apart.
    return identity(f"{monitor}:{scope or payload.text('aggreg_key')}")


def _severity(payload: Payload, transition: str) -> AlertSeverity:
    severity = PRIORITIES.get(payload.text("priority").lower())
    is_warning = transition in ("warn", "re-warn")
    if severity is not None:
        return "warning" if is_warning and severity in ("critical", "error") else severity
    if is_warning:
        return "warning"
    named = payload.text("alert_type").lower()
    if named:
        return _TYPES.get(named, severity_of(named))
    return "error" if transition in ("triggered", "re-triggered") else "unknown"


def _tags(text: str) -> dict[str, str]:
    """``monitor, name:myService, role:computing-node``: those with a value; a name that repeats keeps its values."""
    found: dict[str, list[str]] = {}
    for tag in text.split(","):
        name, colon, value = tag.strip().partition(":")
        if colon and name and value:
            found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


ADAPTER = Adapter(
    name="datadog",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
)
