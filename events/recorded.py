"""Events: a fact with its circumstances, and the CloudEvents bytes that carry it.

An `Event` is what a writer appends; a `Recorded` is what the log gives back, with its position and the second clock.
There are two times for every fact and neither can overwrite the other: ``happened_at`` is said by the writer
(CloudEvents ``time``), ``recorded_at`` is when JetStream stored it.

On the wire an event is a CloudEvents 1.0 structured-mode JSON event (CloudEvents NATS Protocol Binding 1.0.2,
section 3): ``Content-Type: application/cloudevents+json``. ``correlationid`` and ``causationid`` are the CloudEvents
Correlation extension, ``traceparent`` the Distributed Tracing extension, ``authid`` the Auth Context extension,
``recordedtime`` the Recorded Time extension.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from events.errors import FactTooLarge, InvalidEvent, Unreadable
from events.fact import Fact, tag_of
from events.registry import FACT_TYPES
from events.subjects import stream_from_subject, subject_of
from events.upcast import upcast

CONTENT_TYPE = "application/cloudevents+json"

# CloudEvents asks intermediaries to forward at least 64 KiB (spec 1.0.2, "Size Limits") and a transparency-log entry
# is at most 65,535 bytes; 60 KiB leaves room for headers and an envelope.
EVENT_BYTES_MAX = 60 * 1024

HEADLINE_TIME = "%Y-%m-%d %H:%M:%S UTC"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact ready to be appended."""

    id: str
    """Unique in the log. Derived from the cause where the work may be repeated (`events.ids.derived_event_id`)."""
    fact: Fact
    happened_at: datetime
    """When it happened, with a zone."""
    source: str
    """Who says it: ``recount/incidents``, ``recount/intake``."""
    actor: str = ""
    """Whose act it is: a person id, ``service:<name>`` or ``key:<id>``; empty means the source itself."""
    auth_id: str = ""
    """Which token or page link the actor used."""
    causation_id: str = ""
    """The event, command or receipt that this one answers."""
    correlation_id: str = ""
    """What it all belongs to; usually an incident id."""
    traceparent: str = ""
    happened_earliest: datetime | None = None
    happened_latest: datetime | None = None
    """Bounds, when the time is not known precisely."""
    known_at: datetime | None = None
    """When another system recorded it first, for what was imported from there; absent, the log's own time says it."""


class Stored(msgspec.Struct, frozen=True):
    """An event as it lies in the log, not decoded."""

    seq: int
    subject: str
    recorded_at: datetime
    body: bytes


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    seq: int
    """Position in the log: positive and increasing."""
    stream: str
    recorded_at: datetime
    event: Event

    @property
    def fact(self) -> Fact:
        """What happened."""
        return self.event.fact

    @property
    def happened_at(self) -> datetime:
        """When it happened, as its writer says."""
        return self.event.happened_at


class _CloudEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    # The attribute order below is the byte order on the wire; golden files pin it.
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    actor: str = ""
    authid: str = ""
    causationid: str = ""
    correlationid: str = ""
    traceparent: str = ""
    timeearliest: datetime | None = None
    timelatest: datetime | None = None
    recordedtime: datetime | None = None
    data: msgspec.Raw | Fact


_ENCODER = msgspec.json.Encoder(order="deterministic")
_FACT_DECODERS: dict[str, msgspec.json.Decoder[Fact]] = {
    tag: msgspec.json.Decoder(kind) for tag, kind in FACT_TYPES.items()
}


# A time without a zone would be read as the zone of whatever machine reads it.
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Incoming(msgspec.Struct, kw_only=True):
    id: str
    source: str
    type: str
    time: _Moment
    actor: str = ""
    authid: str = ""
    causationid: str = ""
    correlationid: str = ""
    traceparent: str = ""
    timeearliest: _Moment | None = None
    timelatest: _Moment | None = None
    recordedtime: _Moment | None = None
    data: msgspec.Raw


_INCOMING = msgspec.json.Decoder(_Incoming)


def encode(stream: str, event: Event) -> tuple[str, bytes]:
    """The subject and the CloudEvents bytes of an event in a stream.

    Raises:
        InvalidEvent: the stream does not fit the fact, or a time has no zone.
        FactTooLarge: the bytes exceed `EVENT_BYTES_MAX`.
    """
    subject = subject_of(stream, type(event.fact))
    _require_zones(event)
    body = _ENCODER.encode(
        _CloudEvent(
            specversion="1.0",
            id=event.id,
            source=event.source,
            type=tag_of(type(event.fact)),
            subject=stream,
            time=_utc(event.happened_at),
            datacontenttype="application/json",
            actor=event.actor,
            authid=event.auth_id,
            causationid=event.causation_id,
            correlationid=event.correlation_id,
            traceparent=event.traceparent,
            timeearliest=event.happened_earliest and _utc(event.happened_earliest),
            timelatest=event.happened_latest and _utc(event.happened_latest),
            recordedtime=event.known_at and _utc(event.known_at),
            data=event.fact,
        )
    )
    if len(body) > EVENT_BYTES_MAX:
        raise FactTooLarge(
            f"{tag_of(type(event.fact))} for {stream} takes {len(body)} bytes; the limit is {EVENT_BYTES_MAX}"
        )
    return subject, body


def decode(stored: Stored) -> Recorded:
    """Read an event out of its bytes.

    Raises:
        Unreadable: the bytes are not an event of a known type; the message names the position and the reason.
    """
    try:
        envelope = _INCOMING.decode(stored.body)
        tag, data = upcast(envelope.type, bytes(envelope.data))
        fact = _FACT_DECODERS[tag].decode(data)
    except KeyError as error:
        raise Unreadable(f"position {stored.seq}: unknown event type {error}") from error
    except msgspec.MsgspecError as error:
        raise Unreadable(f"position {stored.seq} ({stored.subject}): {error}") from error
    return Recorded(
        seq=stored.seq,
        stream=stream_from_subject(stored.subject),
        recorded_at=stored.recorded_at,
        event=Event(
            id=envelope.id,
            fact=fact,
            happened_at=_utc(envelope.time),
            source=envelope.source,
            actor=envelope.actor,
            auth_id=envelope.authid,
            causation_id=envelope.causationid,
            correlation_id=envelope.correlationid,
            traceparent=envelope.traceparent,
            happened_earliest=envelope.timeearliest,
            happened_latest=envelope.timelatest,
            known_at=envelope.recordedtime,
        ),
    )


def headline(recorded: Recorded, names: Mapping[str, str] | None = None) -> str:
    """One line for people about an event; times in it are UTC, to the second.

    Args:
        recorded: the event.
        names: what to call each person id; an id without a name stands as it is.
    """
    fields: dict[str, Any] = {
        field: _called(getattr(recorded.fact, field), names) for field in recorded.fact.__struct_fields__
    }
    return recorded.fact.headline.format_map(
        {**fields, "actor": _called(recorded.event.actor or recorded.event.source, names)}
    ).removesuffix(": ")


def _called(value: Any, names: Mapping[str, str] | None) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(HEADLINE_TIME)
    return (names or {}).get(value, value) if isinstance(value, str) else value


def _require_zones(event: Event) -> None:
    for name in ("happened_at", "happened_earliest", "happened_latest", "known_at"):
        moment: datetime | None = getattr(event, name)
        if moment is not None and moment.utcoffset() is None:
            raise InvalidEvent(f"{name} of {event.id} is {moment.isoformat()} without a time zone")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def from_epoch_ns(nanoseconds: int) -> datetime:
    """A UTC time with microseconds from the nanoseconds that JetStream keeps; the rest is cut, never rounded up."""
    # Exact until the year 2242: a double of seconds is nearer to its microsecond than to any other. A timedelta took
    # twice as long, which a bulk read notices.
    return datetime.fromtimestamp(nanoseconds // 1_000 / 1_000_000, UTC)
