"""Alertmanager's own API v2 (its api/v2/openapi.yaml): Prometheus posts to Recount as to one more Alertmanager.

In Prometheus, beside the Alertmanager that is there::

    alerting:
      alertmanagers:
        - authorization: { credentials: <key> }
          static_configs: [ { targets: [ "recount:8081" ] } ]

An alert is posted again and again while it fires, each time with an ``endsAt`` in the future; with one in the past, or
now, it is resolved. It is identified by its labels (with Alertmanager's own fingerprint), an occurrence by
``startsAt``. The answers are those of Alertmanager, bytes of Go's decoder apart: of several alerts the valid ones are
taken even when the answer is 400. Prometheus does not try again whatever the answer; it sends the alert anew after a
minute. What is read back (``GET``) is in `services.intake.answers.alertmanager`.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply, Route
from services.intake.adapters.alertmanager import service_of, title_of
from services.intake.payload import UNREADABLE
from services.intake.signal import Signal, lenient_moment, severity_of

# Prometheus posts 64 in one request; amtool one.
ALERTS_PER_REQUEST_MAX = 10_000
# Label sets whose fingerprint is remembered: the hash is made byte by byte, and the same alert comes every minute.
FINGERPRINTS_KEPT_MAX = 10_000

# FNV-1a of 64 bits, as in Prometheus' common/model: name, separator, value, separator, in the order of the names.
_FNV_OFFSET = 14695981039346656037
_FNV_PRIME = 1099511628211
_SEPARATOR = b"\xff"

# Codes of go-openapi/errors, which Alertmanager's answers carry.
_REQUIRED = 602


class PostedAlert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert as it is posted."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, checked."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime | None
    ends_at: datetime | None
    generator_url: str


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What one request posts."""

    alerts: tuple[Alert, ...]
    faults: tuple[str, ...] = ()
    """What is wrong with the others."""


class Unreadable(InvalidPayload):
    """A body that does not fit Alertmanager's OpenAPI document, with the code of its answer."""

    def __init__(self, message: str, *, status: int, code: int) -> None:
        super().__init__(message, status=status)
        self.code = code


_DECODER = msgspec.json.Decoder(list[PostedAlert])


def parse(receipt: Receipt) -> Posted:
    """See `Adapter.parse`."""
    try:
        posted = _DECODER.decode(receipt.body)
    except UNREADABLE as error:
        raise Unreadable(f'parsing alerts body from "" failed, because {error}', status=400, code=400) from error
    if len(posted) > ALERTS_PER_REQUEST_MAX:
        raise Unreadable(f"more than {ALERTS_PER_REQUEST_MAX} alerts in one request", status=400, code=400)
    missing = [number for number, alert in enumerate(posted) if alert.labels is None]
    if missing:
        raise Unreadable(f"{missing[0]}.labels in body is required", status=422, code=_REQUIRED)
    alerts: list[Alert] = []
    faults: list[str] = []
    for number, alert in enumerate(posted):
        try:
            alerts.append(_checked(alert, number))
        except InvalidPayload as fault:
            if fault.status == 422 or isinstance(fault, Unreadable):
                raise
            faults += fault.errors
    if faults and not alerts:
        raise InvalidPayload(*faults)
    return Posted(alerts=tuple(alerts), faults=tuple(faults))


def _checked(posted: PostedAlert, number: int) -> Alert:
    starts_at, ends_at = _time(posted.starts_at, number), _time(posted.ends_at, number)
    labels = {name: value for name, value in (posted.labels or {}).items() if value}
    if starts_at and ends_at and ends_at < starts_at:
        raise InvalidPayload("start time must be before end time")
    if not labels:
        raise InvalidPayload("at least one label pair required")
    for kind, names in (("label set", labels), ("annotations", posted.annotations or {})):
        for name in names:
            # Any name, as since Alertmanager 0.27 and Prometheus 3: metrics of OpenTelemetry have dots in theirs.
            if not name:
                raise InvalidPayload(f'invalid {kind}: invalid name ""')
    return Alert(
        labels=labels,
        annotations=posted.annotations or {},
        starts_at=starts_at,
        ends_at=ends_at,
        generator_url=posted.generator_url or "",
    )


def _time(text: str | None, number: int) -> datetime | None:
    if not text or text.startswith("0001-01-01T00:00:00"):
        return None
    moment = lenient_moment(text)
    if moment is None:
        reason = f"{number}: cannot parse {msgspec.json.encode(text[:100]).decode()} as a time"
        raise Unreadable(f'parsing alerts body from "" failed, because {reason}', status=400, code=400)
    return moment


def signals(posted: Posted, receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    return tuple(_signal(alert, receipt.received_at) for alert in posted.alerts)


def _signal(alert: Alert, received_at: datetime) -> Signal:
    is_resolved = alert.ends_at is not None and alert.ends_at <= received_at
    return Signal(
        state="resolved" if is_resolved else "firing",
        fingerprint=fingerprint(tuple(sorted(alert.labels.items()))),
        title=title_of(alert.labels, alert.annotations),
        severity=severity_of(alert.labels.get("severity", "")),
        service=service_of(alert.labels),
        labels=alert.labels,
        annotations=alert.annotations,
        url=alert.generator_url,
        started_at=alert.starts_at,
        ended_at=alert.ends_at,
    )


@lru_cache(maxsize=FINGERPRINTS_KEPT_MAX)
def fingerprint(labels: tuple[tuple[str, str], ...]) -> str:
    """Alertmanager's fingerprint of a label set: 16 hex digits.

    Args:
        labels: names and values, in the order of the names.
    """
    value = _FNV_OFFSET
    for name, text in labels:
        for byte in name.encode() + _SEPARATOR + text.encode() + _SEPARATOR:
            value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _accepted(posted: Posted, _receipt: Receipt) -> Reply:
    return _told(*posted.faults) if posted.faults else Reply(200)


def _told(*faults: str) -> Reply:
    return Reply(400, msgspec.json.encode("; ".join(faults)))


def _invalid(problem: InvalidPayload) -> Reply:
    if isinstance(problem, Unreadable):
        return refused(problem.status, str(problem), code=problem.code)
    return _told(*problem.errors)


def refused(status: int, because: str, *, code: int = 0) -> Reply:
    """An error in the words of Alertmanager's API."""
    answer: dict[str, Any] = {"code": code or status, "message": because}
    return Reply(status, msgspec.json.encode(answer))


ADAPTER = Adapter(
    name="alertmanager_api",
    parse=parse,
    signals=signals,
    accepted=_accepted,
    invalid=_invalid,
    refused=refused,
    invalid_statuses=(400, 422),
    routes=(Route("POST", "/api/v2/alerts"),),
)
