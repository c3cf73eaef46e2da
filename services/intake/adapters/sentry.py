"""Sentry, webhooks of an internal integration (Sentry, "Integration platform", "Webhooks").

* ``event_alert`` and ``issue``: an alert per issue. Archiving an issue clears it, because Sentry says no more of it.
* ``metric_alert``: an alert per alert rule; an occurrence begins at ``date_started``.
* ``comment`` and an assignment become notes. Everything else is stored and says nothing.

Sentry signs the body with the client secret of the integration, wants any 2xx within one second and repeats nothing; an
integration that times out a thousand times in a day is switched off. The service is the Sentry project.
"""

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, as_object, as_parsed, decoded_as, said
from services.intake.signal import FINGERPRINT_LENGTH_MAX, Signal, State, lenient_moment, severity_of, words
from services.intake.signature import hmac_sha256

RESOURCE_HEADER = "sentry-hook-resource"
SIGNATURE_HEADER = "sentry-hook-signature"

ISSUE_ACTIONS: dict[str, State] = {
    "created": "firing",
    "unresolved": "firing",
    "resolved": "resolved",
    "archived": "resolved",
    "ignored": "resolved",
    "assigned": "noted",
}
"""What an issue's action says; ``ignored`` is what older versions call ``archived``."""

_PROJECT = re.compile(r"/api/0/projects/[^/]+/([^/]+)/")
_ISSUE = re.compile(r"/issues/([^/]+)/?")
# Tags that say who somebody is, or repeat what is elsewhere.
_TAGS_LEFT_OUT = ("user", "url", "level")


class Actor(msgspec.Struct, frozen=True):
    """Who did it."""

    name: Any = ""


class Payload(msgspec.Struct, frozen=True):
    """A webhook."""

    action: Annotated[str, msgspec.Meta(max_length=100)]
    data: dict[str, Any]
    actor: Actor | None = None


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.parse`."""
    payload = decoded_as(_DECODER, receipt.body, "a webhook of Sentry")
    resource = _resource(payload, receipt)
    return _READERS[resource](payload) if resource in _READERS else ()


def _resource(payload: Payload, receipt: Receipt) -> str:
    named = receipt.headers.get(RESOURCE_HEADER, "")
    if named:
        return named
    # Replayed by hand, or through a proxy that drops headers.
    held = {"event": "event_alert", "metric_alert": "metric_alert", "issue": "issue", "comment": "comment"}
    return next((resource for name, resource in held.items() if name in payload.data), "")


def _event_alert(payload: Payload) -> tuple[Signal, ...]:
    event = as_object(payload.data.get("event"))
    tags = _tags(event)
    issue = words(event.get("issue_id")) or _found(_ISSUE, words(event.get("issue_url")))
    if not issue:
        raise InvalidPayload("data.event names no issue: issue_id is missing")
    project = _found(_PROJECT, words(event.get("url")))
    exception = words(as_object(event.get("metadata")).get("value"))
    return (
        Signal(
            state="firing",
            fingerprint=_issue_fingerprint(issue),
            title=words(event.get("title")) or exception or f"Sentry issue {issue}",
            severity=severity_of(words(event.get("level"))),
            service=project,
            labels=said(
                tags
                | {
                    "project": project,
                    "rule": words(payload.data.get("triggered_rule")),
                    "level": words(event.get("level")),
                    "platform": words(event.get("platform")),
                    "release": tags.get("release", "") or words(event.get("release")),
                }
            ),
            annotations=said({"culprit": words(event.get("culprit")), "message": words(event.get("message"))}),
            url=words(event.get("web_url")),
            observed_at=lenient_moment(words(event.get("datetime"))),
        ),
    )


def _issue(payload: Payload) -> tuple[Signal, ...]:
    issue = as_object(payload.data.get("issue"))
    number = words(issue.get("id"))
    if not number:
        raise InvalidPayload("data.issue.id is missing")
    says = ISSUE_ACTIONS.get(payload.action)
    if says is None:
        return ()
    project = as_object(issue.get("project"))
    service = words(project.get("slug") or project.get("name"))
    who = words(payload.actor.name) if payload.actor else ""
    seen_at = lenient_moment(words(issue.get("lastSeen")))
    is_over = says == "resolved"
    return (
        Signal(
            state=says,
            fingerprint=_issue_fingerprint(number),
            title=words(issue.get("title")) or f"Sentry issue {words(issue.get('shortId')) or number}",
            severity=severity_of(words(issue.get("level"))),
            service=service,
            labels=said(
                {
                    "project": service,
                    "issue": words(issue.get("shortId")),
                    "level": words(issue.get("level")),
                    "platform": words(issue.get("platform")),
                    "substatus": words(issue.get("substatus")),
                }
            ),
            annotations=said({"culprit": words(issue.get("culprit"))}),
            url=words(issue.get("web_url") or issue.get("permalink")),
            # When it was last seen says nothing about when it was resolved.
            observed_at=seen_at if says == "firing" else None,
            note=_note(payload.action, issue),
            author=who if says == "noted" or is_over else "",
        ),
    )


def _note(action: str, issue: dict[str, Any]) -> str:
    if action == "assigned":
        assignee = as_object(issue.get("assignedTo"))
        return f"assigned to {words(assignee.get('name')) or 'somebody'}"
    return f"{action} in Sentry" if ISSUE_ACTIONS.get(action) == "resolved" else ""


def _metric_alert(payload: Payload) -> tuple[Signal, ...]:
    alert = as_object(payload.data.get("metric_alert"))
    rule = as_object(alert.get("alert_rule"))
    number = words(rule.get("id")) or words(alert.get("id"))
    if not number:
        raise InvalidPayload("data.metric_alert names no alert rule: alert_rule.id is missing")
    is_over = payload.action == "resolved"
    projects = rule.get("projects") if isinstance(rule.get("projects"), list) else alert.get("projects")
    service = words(projects[0]) if isinstance(projects, list) and projects else ""
    title = words(rule.get("name")) or words(payload.data.get("description_title"))
    return (
        Signal(
            state="resolved" if is_over else "firing",
            fingerprint=f"metric_alert:{number}"[:FINGERPRINT_LENGTH_MAX],
            title=title or f"Sentry metric alert {number}",
            severity=severity_of(payload.action) if not is_over else "unknown",
            service=service,
            labels=said(
                {
                    "project": service,
                    "environment": words(rule.get("environment")),
                    "dataset": words(rule.get("dataset")),
                    "aggregate": words(rule.get("aggregate")),
                    "query": words(rule.get("query")),
                }
            ),
            annotations=said(
                {
                    "summary": words(payload.data.get("description_title")),
                    "description": words(payload.data.get("description_text")),
                }
            ),
            url=words(payload.data.get("web_url")),
            started_at=lenient_moment(words(alert.get("date_started"))),
            ended_at=_closed_at(alert) if is_over else None,
        ),
    )


def _closed_at(alert: dict[str, Any]) -> datetime | None:
    return lenient_moment(words(alert.get("date_closed")))


def _comment(payload: Payload) -> tuple[Signal, ...]:
    comment = payload.data.get("comment")
    issue = words(payload.data.get("issue_id"))
    if payload.action not in ("created", "updated") or not isinstance(comment, str) or not issue:
        return ()
    return (
        Signal(
            state="noted",
            fingerprint=_issue_fingerprint(issue),
            note=comment,
            author=words(payload.actor.name) if payload.actor else "",
            observed_at=lenient_moment(words(payload.data.get("timestamp"))),
        ),
    )


_READERS = {"event_alert": _event_alert, "issue": _issue, "metric_alert": _metric_alert, "comment": _comment}
"""By the header that names what happened."""


def _issue_fingerprint(number: str) -> str:
    return f"issue:{number}"[:FINGERPRINT_LENGTH_MAX]


def _tags(event: dict[str, Any]) -> dict[str, str]:
    tags = event.get("tags")
    pairs = [pair for pair in tags if isinstance(pair, list) and len(pair) == 2] if isinstance(tags, list) else []
    named = {words(name): words(value) for name, value in pairs}
    return {name: value for name, value in named.items() if name.partition(".")[0] not in _TAGS_LEFT_OUT}


def _found(pattern: re.Pattern[str], url: str) -> str:
    found = pattern.search(url)
    return found[1] if found else ""


ADAPTER = Adapter(
    name="sentry",
    parse=parse,
    signals=as_parsed,
    accepted=lambda parsed, _receipt: accepted(len(parsed)),
    headers_kept=(RESOURCE_HEADER, "sentry-hook-timestamp", "request-id"),
    signature=hmac_sha256(SIGNATURE_HEADER),
)
