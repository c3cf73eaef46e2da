"""Alertmanager's event recorder (0.33 and later, ``--enable-feature=event-recorder``), output ``webhook``.

The body is one event in the JSON of protocol buffers or, with ``batch: true``, a list of them; keep
``batch_max_bytes`` at 900000, below what is taken here at once. Events come more than once (three attempts at anything
but a 2xx), in any order (four workers), and those of a full queue never. They have no id, so:

* what is said of an alert is compared by its own times, as with every sender (`alert_decider`): events of alerts are
  told twice without harm, and one that is lost is told by the next, because a notification repeats what its alerts are;
* anything else is identified by the hash of its content.

That Alertmanager is away is an alert of its own, from the event of its shutdown to that of its start: what fires in
between is in no event. What a silence or an inhibition rule holds back becomes a note of the alert, once in an
occurrence and not with every evaluation; silences and starts themselves are changes.

Two shapes are read: labels as a list of pairs (0.33) and as an object (later).
"""

import hashlib
from datetime import datetime
from typing import Annotated, Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.adapters.alertmanager import service_of, title_of
from services.intake.adapters.alertmanager_api import fingerprint
from services.intake.payload import decoded_as, require_at_most
from services.intake.signal import Change, Said, Signal, moment, severity_of

# Alertmanager's own default is 100; batch_max_bytes bounds it before this does.
EVENTS_PER_REQUEST_MAX = 5_000

_Time = Annotated[datetime, msgspec.Meta(tz=True)] | None
# A uint64 is text in the JSON of protocol buffers, so that no reader rounds it.
_Number = str | int


class Pair(msgspec.Struct, frozen=True):
    """One label."""

    key: str = ""
    value: str = ""


class Pairs(msgspec.Struct, frozen=True):
    """Labels, as 0.33 writes them."""

    labels: list[Pair] = []


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """An alert as it was then. Labels are an object, or `Pairs`."""

    fingerprint: _Number = ""
    labels: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    starts_at: _Time = None
    ends_at: _Time = None
    resolved: bool = False
    details: "Alert | None" = None
    """The alert itself where this is a reference to it; missing where the reference is all."""


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """Where an alert is routed to."""

    group_key: str = ""
    receiver_name: str = ""


class OfAlert(msgspec.Struct, frozen=True, rename="camel"):
    """An alert was created, grouped or resolved."""

    alert: Alert | None = None
    group_info: Group = Group()


class Notification(msgspec.Struct, frozen=True, rename="camel"):
    """A notification was delivered."""

    alerts: list[Alert] = []


class Silence(msgspec.Struct, frozen=True, rename="camel"):
    """A silence as it was then."""

    id: str = ""
    starts_at: _Time = None
    ends_at: _Time = None
    updated_at: _Time = None
    created_by: str = ""
    comment: str = ""


class OfSilence(msgspec.Struct, frozen=True, rename="camel"):
    """A silence was created or changed, or held an alert back."""

    silence: Silence = Silence()
    muted_alert: Alert | None = None


class Rule(msgspec.Struct, frozen=True):
    """An inhibition rule."""

    name: str = ""


class Inhibition(msgspec.Struct, frozen=True, rename="camel"):
    """Inhibition rules held an alert back."""

    inhibit_rules: list[Rule] = []
    muted_alert: Alert | None = None
    inhibiting_fingerprints: list[_Number] = []


class Startup(msgspec.Struct, frozen=True, rename="camel"):
    """The process began."""

    version: str = ""


class Data(msgspec.Struct, frozen=True, rename="camel"):
    """What happened: one of these."""

    alertmanager_startup_event: Startup | None = None
    alertmanager_shutdown_event: dict[str, Any] | None = None
    alert_created: OfAlert | None = None
    alert_resolved: OfAlert | None = None
    alert_grouped: OfAlert | None = None
    notification: Notification | None = None
    silence_created: OfSilence | None = None
    silence_updated: OfSilence | None = None
    silence_muted_alert: OfSilence | None = None
    inhibition_muted_alert: Inhibition | None = None


class Event(msgspec.Struct, frozen=True):
    """One event. Fields and kinds that later versions add are ignored."""

    data: Data
    timestamp: _Time = msgspec.field(default=None, name="@timestamp")
    instance: str = ""


_DECODER = msgspec.json.Decoder(Event | list[Event])


def parse(receipt: Receipt) -> list[Event]:
    """See `Adapter.parse`."""
    decoded = decoded_as(_DECODER, receipt.body, "an event of Alertmanager's recorder")
    events = decoded if isinstance(decoded, list) else [decoded]
    require_at_most(EVENTS_PER_REQUEST_MAX, len(events), "events")
    for event in events:
        for alert in _alerts(event.data):
            _labels(alert.labels)
            _labels(alert.annotations)
            _hex(alert.fingerprint)
    return events


def signals(events: list[Event], _receipt: Receipt) -> tuple[Said, ...]:
    """See `Adapter.signals`."""
    return tuple(said for event in events for said in _said(event))


def _said(event: Event) -> list[Said]:
    data = event.data
    said: list[Said] = []
    for happened in (data.alert_created, data.alert_grouped, data.alert_resolved):
        if happened is not None and happened.alert is not None:
            said += _signal(happened.alert, event, happened.group_info, is_over=happened is data.alert_resolved)
    if data.notification is not None:
        for alert in data.notification.alerts:
            said += _signal(alert, event, Group(), is_over=False)
    said += _held_back(event)
    if data.alertmanager_startup_event is not None:
        version = data.alertmanager_startup_event.version
        said.append(_change(event, "alertmanager", f"Alertmanager {version} of {event.instance} started", version))
        said.append(_away(event, is_back=True))
    if data.alertmanager_shutdown_event is not None:
        said.append(_away(event, is_back=False))
    for outcome, told in (("created", data.silence_created), ("updated", data.silence_updated)):
        if told is not None:
            silence = told.silence
            title = f"silence {outcome} by {silence.created_by or 'somebody'}: {silence.comment or silence.id}"
            said.append(_change(event, "silence", title, outcome=outcome, labels=_told_times(silence)))
    return said


def _signal(alert: Alert, event: Event, group: Group, *, is_over: bool) -> list[Said]:
    told = alert.details or alert
    labels = _labels(told.labels)
    if not labels:
        # A reference alone: what it refers to has been told.
        return []
    is_resolved = told.resolved or is_over
    annotations = _labels(told.annotations)
    if group.receiver_name:
        annotations["receiver"] = group.receiver_name
    return [
        Signal(
            state="resolved" if is_resolved else "firing",
            fingerprint=_fingerprint(told, labels),
            title=title_of(labels, annotations),
            severity=severity_of(labels.get("severity", "")),
            service=service_of(labels),
            labels=labels,
            annotations=annotations,
            started_at=moment(told.starts_at),
            ended_at=moment(told.ends_at),
            observed_at=moment(event.timestamp),
        )
    ]


def _held_back(event: Event) -> list[Said]:
    silenced, inhibited = event.data.silence_muted_alert, event.data.inhibition_muted_alert
    said: list[Said] = []
    if silenced is not None and silenced.muted_alert is not None:
        silence = silenced.silence
        note = f"held back by silence {silence.id} of Alertmanager: {silence.comment}"
        said.append(_note(silenced.muted_alert, event, note, silence.created_by))
    if inhibited is not None and inhibited.muted_alert is not None:
        sources = ", ".join(_hex(one) for one in inhibited.inhibiting_fingerprints) or "another alert"
        rules = ", ".join(rule.name for rule in inhibited.inhibit_rules if rule.name)
        note = f"held back by Alertmanager, inhibited by {sources}{f' ({rules})' if rules else ''}"
        said.append(_note(inhibited.muted_alert, event, note, ""))
    return said


def _note(alert: Alert, event: Event, note: str, author: str) -> Signal:
    labels = _labels(alert.labels)
    return Signal(
        state="noted",
        fingerprint=_fingerprint(alert, labels),
        title=title_of(labels, {}),
        labels=labels,
        observed_at=moment(event.timestamp),
        note=note,
        author=author,
        only_once=True,
    )


def _away(event: Event, *, is_back: bool) -> Signal:
    at = moment(event.timestamp)
    return Signal(
        state="resolved" if is_back else "firing",
        fingerprint=f"instance:{event.instance}",
        title=f"Alertmanager of {event.instance or 'an unnamed host'} is shut down and records nothing",
        severity="warning",
        labels={"alertname": "RecountAlertmanagerAway", "instance": event.instance},
        started_at=None if is_back else at,
        ended_at=at if is_back else None,
        observed_at=at,
        only_if_known=True,
    )


def _change(
    event: Event, kind: str, title: str, version: str = "", *, outcome: str = "", labels: dict[str, str] | None = None
) -> Change:
    # The same event has the same content however often it comes; its time tells it from others alike.
    content = msgspec.json.encode(event, order="deterministic")
    return Change(
        external_id=hashlib.sha256(content).hexdigest()[:32],
        title=title,
        kind=kind,
        outcome=outcome,
        version=version,
        labels={"instance": event.instance, **(labels or {})},
        happened_at=moment(event.timestamp),
    )


def _told_times(silence: Silence) -> dict[str, str]:
    times = {"starts_at": silence.starts_at, "ends_at": silence.ends_at}
    return {"silence_id": silence.id, **{name: time.isoformat() for name, time in times.items() if time}}


def _alerts(data: Data) -> list[Alert]:
    single = (data.alert_created, data.alert_resolved, data.alert_grouped)
    muted = (data.silence_muted_alert, data.inhibition_muted_alert)
    found = [one.alert for one in single if one] + [one.muted_alert for one in muted if one]
    listed = data.notification.alerts if data.notification else []
    return [alert.details or alert for alert in (*found, *listed) if alert is not None]


def _labels(written: dict[str, Any]) -> dict[str, str]:
    """Labels from either shape.

    Raises:
        InvalidPayload: it is neither.
    """
    try:
        # {"labels": [...]}: no label has a list as its value, so nothing is mistaken for it.
        if isinstance(written.get("labels"), list):
            return {pair.key: pair.value for pair in msgspec.convert(written, Pairs).labels}
        return msgspec.convert(written, dict[str, str])
    except msgspec.ValidationError as error:
        raise InvalidPayload(f"labels that are neither an object nor pairs: {error}") from error


def _fingerprint(alert: Alert, labels: dict[str, str]) -> str:
    return _hex(alert.fingerprint) if alert.fingerprint else fingerprint(tuple(sorted(labels.items())))


def _hex(number: _Number) -> str:
    """Alertmanager's fingerprint as its webhook writes it: 16 hex digits.

    Raises:
        InvalidPayload: it is no number of 64 bits.
    """
    text = str(number) or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) < 2**64):
        raise InvalidPayload(f"fingerprint {text[:40]!r} is no number of 64 bits")
    return f"{int(text):016x}"


def _accepted(events: list[Event], _receipt: Receipt) -> Reply:
    return Reply(202, b'{"status":"accepted","events":%d}' % len(events))


ADAPTER = Adapter(
    name="alertmanager_events",
    parse=parse,
    signals=signals,
    accepted=_accepted,
)
