"""Google Cloud Monitoring, webhook channel, payload version 1.2 (Cloud Monitoring, "Create and manage notification
channels").

An alert is known by its ``incident_id``, which open and closed notifications share. The key comes as the password of
basic authentication, as a bearer token, in the path, or as ``auth_token`` in the query, which is Google's "token
authentication". User and password come only after a 401 asked for them. Any 2xx is delivered.
"""

from typing import Annotated, Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Request
from services.intake.payload import accepted, decoded_as, epoch_moment, said
from services.intake.routing import query_fields
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, State, severity_of, words

_STATES: dict[str, State] = {"open": "firing", "acknowledged": "acknowledged", "closed": "resolved"}

TOKEN_FIELD = "auth_token"
"""Field of the query that holds the key; the name that Google's own example has."""


class Typed(msgspec.Struct, frozen=True):
    """A monitored resource, or a metric."""

    type: str | None = None
    labels: dict[str, Any] | None = None
    display_name: str | None = msgspec.field(default=None, name="displayName")


class Metadata(msgspec.Struct, frozen=True):
    """Labels of the resource that are no part of its identity."""

    user_labels: dict[str, Any] | None = None


class Incident(msgspec.Struct, frozen=True):
    """What a notification is about. Fields that later versions add are ignored."""

    incident_id: Annotated[str, msgspec.Meta(min_length=1, max_length=FINGERPRINT_LENGTH_MAX)]
    state: str
    started_at: float | None = None
    ended_at: float | None = None
    policy_name: str | None = None
    condition_name: str | None = None
    severity: str | None = None
    summary: str | None = None
    url: str | None = None
    scoping_project_id: str | None = None
    resource_name: str | None = None
    resource_display_name: str | None = None
    resource: Typed | None = None
    metric: Typed | None = None
    metadata: Metadata | None = None
    policy_user_labels: dict[str, Any] | None = None
    observed_value: Any = None
    threshold_value: Any = None
    documentation: Any = None
    """An object with ``content``; a plain text in test notifications."""


class Payload(msgspec.Struct, frozen=True):
    """A notification."""

    incident: Incident
    version: str = ""


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    payload = decoded_as(_DECODER, receipt.body, "a notification of Cloud Monitoring")
    if payload.incident.state.lower() not in _STATES:
        raise InvalidPayload(f"incident.state is {payload.incident.state[:40]!r}, neither open nor closed")
    return payload


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    incident = payload.incident
    state = _STATES[incident.state.lower()]
    is_over = state == "resolved"
    policy, resource, metric = _texts(incident.policy_user_labels), _labels(incident.resource), _labels(incident.metric)
    user = _texts(incident.metadata.user_labels if incident.metadata else None)
    # A test is sent once and never closed.
    is_test = payload.version == "test"
    labels = {
        "alertname": incident.policy_name or "",
        "condition": incident.condition_name or "",
        "project": incident.scoping_project_id or "",
        "resource": incident.resource_display_name or incident.resource_name or "",
        "resource_type": (incident.resource.type if incident.resource else "") or "",
        "metric": (incident.metric.type if incident.metric else "") or "",
        "test": "true" if is_test else "",
    }
    return (
        Signal(
            state=state,
            fingerprint=incident.incident_id,
            title=incident.policy_name or incident.condition_name or incident.incident_id,
            severity="info" if is_test else _severity(incident, policy),
            service=policy.get("service") or user.get("service") or resource.get("service_name", ""),
            labels=said(user | metric | resource | labels | policy),
            annotations=said(
                {
                    "summary": incident.summary or "",
                    "documentation": _documentation(incident.documentation),
                    "observed_value": words(incident.observed_value),
                    "threshold_value": words(incident.threshold_value),
                }
            ),
            url=incident.url or "",
            started_at=epoch_moment(incident.started_at),
            ended_at=epoch_moment(incident.ended_at) if is_over else None,
        ),
    )


def _severity(incident: Incident, policy: dict[str, str]) -> AlertSeverity:
    """Google's own where the policy has one ("No severity" otherwise), then the policy's label."""
    own = severity_of(incident.severity or "")
    return own if own != "unknown" else severity_of(policy.get("severity", ""))


def _labels(of: Typed | None) -> dict[str, str]:
    return _texts(of.labels if of else None)


def _texts(values: dict[str, Any] | None) -> dict[str, str]:
    return {name: words(value) for name, value in (values or {}).items()}


def _documentation(value: object) -> str:
    return words(value.get("content")) if isinstance(value, dict) else words(value)


def _token(request: Request) -> str:
    return query_fields(request.query).get(TOKEN_FIELD, "")


ADAPTER = Adapter(
    name="gcp",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
    secret_in_request=_token,
)
