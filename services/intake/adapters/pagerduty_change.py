"""PagerDuty change events (developer.pagerduty.com, "Send a Change Event"), with byte-compatible answers.

A change event wakes nobody and has no key: every one is a change of its own. The same integration key serves alerts and
changes, as at PagerDuty.
"""

from typing import Any

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply, Route
from services.intake.adapters.pagerduty import ADAPTER as EVENTS
from services.intake.adapters.pagerduty import EVENT_BYTES_MAX
from services.intake.payload import at, identity, object_of, said, text_at
from services.intake.signal import TITLE_LENGTH_MAX, Change, lenient_moment, words


def parse(receipt: Receipt) -> dict[str, Any]:
    """See `Adapter.parse`."""
    event = object_of(receipt, "a change event")
    payload, errors = event.get("payload"), []
    summary = at(payload, "summary")
    if not isinstance(payload, dict):
        errors.append("'payload' is missing or blank" if payload is None else "'payload' must be an object")
    elif not isinstance(summary, str) or not summary.strip():
        errors.append("'payload.summary' is missing or blank")
    elif len(summary) > TITLE_LENGTH_MAX:
        errors.append(f"Length of 'payload.summary' is incorrect (should be at most {TITLE_LENGTH_MAX} characters)")
    if at(payload, "custom_details") is not None and not isinstance(at(payload, "custom_details"), dict):
        errors.append("'payload.custom_details' must be an object")
    if errors:
        raise InvalidPayload(*errors)
    return event


def signals(event: dict[str, Any], receipt: Receipt) -> tuple[Change, ...]:
    """See `Adapter.signals`."""
    summary, source = text_at(event, "payload", "summary"), text_at(event, "payload", "source")
    stamp = text_at(event, "payload", "timestamp")
    details = at(event, "payload", "custom_details")
    labels = {name: words(value) for name, value in details.items()} if isinstance(details, dict) else {}
    # Sent again, it has the same time; without one nothing tells a repeat from a second change of the same name.
    return (
        Change(
            external_id=identity(summary, source, stamp) if stamp else f"receipt {receipt.seq}",
            title=summary,
            kind="change event",
            service=labels.get("service", ""),
            environment=labels.get("environment", ""),
            version=labels.get("version", "") or labels.get("revision", "") or labels.get("commit", ""),
            labels=said({"source": source} | labels),
            url=text_at(event, "links", 0, "href"),
            happened_at=lenient_moment(stamp),
        ),
    )


ADAPTER = Adapter(
    name="pagerduty_change",
    parse=parse,
    signals=signals,
    accepted=lambda _event, _receipt: Reply(202, b'{"status":"success","message":"Change event processed"}'),
    invalid=EVENTS.invalid,
    refused=EVENTS.refused,
    routes=(Route("POST", "/v2/change/enqueue"),),
    secret_in_body=EVENTS.secret_in_body,
    secret_in_request=EVENTS.secret_in_request,
    body_bytes_max=EVENT_BYTES_MAX,
    keys_of=("pagerduty",),
)
