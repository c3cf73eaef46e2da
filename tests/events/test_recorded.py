"""An event on the wire is a CloudEvents 1.0 event that any CloudEvents library reads, and comes back as it went."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st

from events import Event, Recorded, Stored, decode, encode, headline
from events.errors import FactTooLarge, InvalidEvent, Unreadable
from events.incident import IncidentContained, IncidentDeclared, Noted, RoleAssigned
from events.recorded import CONTENT_TYPE, EVENT_BYTES_MAX, from_epoch_ns

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INC = "incident.INC-42"
DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")


def event(fact=DECLARED, **more) -> Event:
    return Event(**{"id": "e1", "fact": fact, "happened_at": NOON, "source": "recount/incidents", **more})


def recorded(fact, **more) -> Recorded:
    return Recorded(seq=7, stream=INC, recorded_at=NOON, event=event(fact, **more))


def test_another_cloudevents_library_reads_it():
    _subject, body = encode(INC, event(actor="per-ada", correlation_id="INC-42", causation_id="alert-1"))
    read = from_structured_event(HTTPMessage({"content-type": CONTENT_TYPE}, body), JSONFormat())
    assert read.get_id() == "e1"
    assert read.get_type() == "incident.declared"
    assert read.get_subject() == INC
    assert read.get_source() == "recount/incidents"
    assert read.get_time() == NOON
    assert read.get_extension("actor") == "per-ada"
    assert read.get_extension("causationid") == "alert-1"
    assert read.get_data()["title"] == "checkout is down"


def test_what_is_not_known_is_not_written():
    _subject, body = encode(INC, event())
    assert set(json.loads(body)) == {"specversion", "id", "source", "type", "subject", "time", "data"}


def test_times_are_kept_as_the_same_moment_in_utc():
    kolkata = timezone(timedelta(hours=5, minutes=30))
    bounds = {"happened_earliest": NOON - timedelta(hours=1), "happened_latest": NOON.astimezone(kolkata)}
    bounds["known_at"] = NOON.astimezone(kolkata)
    subject, body = encode(INC, event(happened_at=NOON.astimezone(kolkata), **bounds))
    assert json.loads(body)["time"] == "2026-03-01T12:00:00Z"
    back = decode(Stored(1, subject, NOON, body)).event
    assert (back.happened_at, back.happened_latest, back.known_at, back.happened_at.tzinfo) == (NOON, NOON, NOON, UTC)


@pytest.mark.parametrize("field", ["happened_at", "happened_earliest", "happened_latest", "known_at"])
def test_a_time_without_a_zone_is_refused_on_the_way_in(field: str):
    with pytest.raises(InvalidEvent, match=rf"{field} of e1 is 2026-03-01T12:00:00 without a time zone"):
        encode(INC, event(**{field: datetime(2026, 3, 1, 12, 0)}))


@pytest.mark.parametrize("field", ["time", "timeearliest", "timelatest"])
def test_a_time_without_a_zone_is_unreadable_because_it_would_depend_on_the_reader(field: str):
    subject, body = encode(INC, event())
    altered = json.dumps({**json.loads(body), field: "2026-03-01T12:00:00"}).encode()
    with pytest.raises(Unreadable, match="position 7"):
        decode(Stored(7, subject, NOON, altered))


def test_a_fact_at_the_limit_is_taken_and_one_byte_more_is_refused():
    _subject, empty = encode(INC, event(Noted(text="")))
    room = EVENT_BYTES_MAX - len(empty)
    assert len(encode(INC, event(Noted(text="x" * room)))[1]) == EVENT_BYTES_MAX
    with pytest.raises(FactTooLarge, match=r"incident\.noted for incident\.INC-42 takes 61441 bytes") as caught:
        encode(INC, event(Noted(text="x" * (room + 1))))
    assert "record its address and hash" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "malformed"),
        (b"{}", "missing required field"),
        (b'{"id":"e1","source":"s","type":"incident.exploded","time":"2026-03-01T12:00:00Z","data":{}}', "exploded"),
        (b'{"id":"e1","source":"s","type":"incident.noted","time":"2026-03-01T12:00:00Z","data":{}}', "`text`"),
        (b'{"id":"e1","source":"s","type":"incident.noted","time":"2026-03-01T12:00:00Z","data":{"text":1}}', "str"),
    ],
)
def test_bytes_that_are_no_event_name_their_position_and_the_reason(body: bytes, reason: str):
    with pytest.raises(Unreadable, match=rf"position 7.*{reason}") as caught:
        decode(Stored(7, "evt.incident.INC-42.noted", NOON, body))
    assert "upgrade" in caught.value.hint


def test_a_field_of_a_newer_version_does_not_stop_an_older_reader():
    subject, body = encode(INC, event())
    newer = json.loads(body)
    newer["sampledrate"] = 3
    newer["data"]["weather"] = "stormy"
    assert decode(Stored(7, subject, NOON, json.dumps(newer).encode())).fact == DECLARED


def test_a_headline_says_who_did_what_by_the_names_it_is_given():
    assigned = recorded(RoleAssigned(role="commander", person_id="per-bob"), actor="per-ada")
    assert headline(assigned) == "per-bob is commander"
    assert headline(assigned, {"per-bob": "bob"}) == "bob is commander"
    assert headline(recorded(Noted(text="rolled back"), actor="per-ada"), {"per-ada": "ada"}) == "ada: rolled back"
    assert headline(recorded(Noted(text="rolled back"))) == "recount/incidents: rolled back"


def test_a_headline_leaves_nothing_dangling_and_formats_nothing_that_people_wrote():
    assert headline(recorded(IncidentContained())) == "contained"
    assert headline(recorded(Noted(text="{actor} {0} %s"), actor="per-ada")) == "per-ada: {actor} {0} %s"


def test_nanoseconds_are_cut_never_rounded_up():
    assert from_epoch_ns(1_999) == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert from_epoch_ns(1_772_366_400_123_456_999) == datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2242, 1, 1)))
def test_every_microsecond_comes_back_from_its_nanoseconds(moment: datetime):
    since = moment - datetime(1970, 1, 1)
    assert from_epoch_ns(since // timedelta(microseconds=1) * 1_000) == moment.replace(tzinfo=UTC)


def test_a_recorded_event_tells_its_fact_and_its_first_clock():
    assert recorded(DECLARED).fact is DECLARED
    assert recorded(DECLARED).happened_at == NOON
