"""The view ``causes``: what each event answers."""

from datetime import UTC, datetime

from events import Event, Fact, Stored, encode
from events.alert import AlertFired
from events.incident import IncidentAcknowledged, IncidentDeclared
from tests.spec import empty_warehouse

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
FIRED = AlertFired(
    integration="key-1", sender="json", fingerprint="f", occurrence=1, title="5xx above 2 %", severity="critical"
)


def stored(seq: int, stream: str, fact: Fact, cause: str) -> Stored:
    event = Event(id=f"event-{seq}", fact=fact, happened_at=AT, source="recount/test", causation_id=cause)
    return Stored(seq, *encode(stream, event)[:1], AT, encode(stream, event)[1])


def test_it_tells_events_payloads_and_orders_apart_now_and_as_of():
    log = [
        stored(1, "alert.a1", FIRED, "intake-7"),
        stored(2, "incident.INC-42", IncidentDeclared(title="checkout is down", severity="sev1"), "event-1"),
        stored(3, "incident.INC-42", IncidentAcknowledged(), "an-order-of-ada"),
        stored(4, "incident.INC-43", IncidentDeclared(title="nobody asked", severity="sev4"), ""),
    ]
    with empty_warehouse() as warehouse:
        warehouse.apply(log)
        asked = "select seq, cause_seq, cause_stream, cause_type, receipt_seq from causes order by seq"
        rows = [
            (1, 0, None, None, 7),
            (2, 1, "alert.a1", "alert.fired", None),
            (3, 0, None, None, None),
        ]
        assert warehouse.ask(asked).rows == rows
        assert warehouse.ask(asked, as_of=2).rows == rows[:2]
