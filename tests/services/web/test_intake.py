"""Intake on the web: the ledger, heartbeats, and where senders post."""

from datetime import timedelta

import msgspec

from events.alert import AlertFired
from events.ledger import ReceiptsCounted, SourceCount
from events.nats_intake import NatsReceipts
from events.receipt import Receipt
from tests.services.web.stack import Stack, eventually, now


def _received(recount: Stack, *alerts: dict[str, str]) -> int:
    """Have intake receive alerts, and count them. Gives the position through which it counted."""

    async def put() -> int:
        receipts = NatsReceipts(recount.actors.client)
        for alert in alerts:
            body = msgspec.json.encode(alert)
            seq = await receipts.put(Receipt(source="json", integration="key-w", received_at=now(), body=body))
        return seq

    last = recount.ask(put)
    eventually(lambda: recount.ask(recount.intake.counter.count) >= last)
    recount.ask(recount.actors.log.last_position)
    with recount.client() as program:
        seq = recount.ask(recount.actors.log.last_position)
        program.get("/api/position", params={"min_position": seq}).raise_for_status()
    return last


def test_the_ledger_says_what_became_of_everything(recount: Stack):
    _received(recount, {"title": "disk full"}, {"title": "disk full"}, {"titel": "broken"})
    with recount.client() as program, recount.browser() as ada:
        told = program.get("/api/intake/ledger", params={"source": "key-w"}).json()
        (row,) = told["ledger"]
        assert (row["received"], row["facts"], row["duplicates"], row["refused"]) == (3, 1, 1, 1)
        assert told["total"]["unaccounted"] == 0
        assert [one["integration"] for one in told["silence"] if one["integration"] == "key-w"] == ["key-w"]
        assert program.post("/api/verify/ledger").json()["differences"] == []
        page = ada.get("/intake").text
        assert "Everything is accounted for" in page
        assert "key-w" in page


def test_what_is_lost_is_named(recount: Stack):
    through = _received(recount, {"title": "disk full"})
    at = now()
    count = SourceCount(source="json", integration="key-lost", received=1, received_bytes=2, first_at=at, last_at=at)
    lost = ReceiptsCounted(
        first_seq=through + 1, last_seq=through + 1, sources=(count,), run_sources=(0,), run_lengths=(1,)
    )
    recount.append("ledger.received", lost)
    with recount.client() as program, recount.browser() as ada:
        (wrong,) = program.post("/api/verify/ledger").json()["differences"]
        assert (wrong["integration"], wrong["first_receipt_seq"]) == ("key-lost", through + 1)
        assert "1 receipt is unaccounted for" in ada.get("/intake").text
        # It was not lost after all: other tests share this ledger.
        fired = AlertFired(
            integration="key-lost",
            sender="json",
            fingerprint="f",
            occurrence=1,
            title="found",
            severity="info",
            receipt_seq=through + 1,
        )
        recount.append("alert.found", fired, at=at + timedelta(seconds=1))
        assert program.post("/api/verify/ledger").json()["differences"] == []


def test_a_heartbeat_is_configured_paused_and_removed(recount: Stack):
    def state() -> dict[str, object]:
        return {one["heartbeat_id"]: one["state"] for one in program.get("/api/heartbeats").json()["heartbeats"]}

    with recount.client() as program, recount.browser() as ada:
        done = program.post("/api/heartbeats/nightly", json={"every_s": 3600, "service": "db"})
        assert done.status_code == 200, done.text
        eventually(lambda: state().get("nightly") == "expected")
        assert "nightly" in ada.get("/intake").text
        assert program.post("/api/heartbeats/nightly", json={"every_s": 1}).status_code == 400
        assert program.post("/api/heartbeats/nobody/pause").status_code == 404
        assert program.post("/api/heartbeats/nightly/pause").status_code == 200
        eventually(lambda: state().get("nightly") == "paused")
        assert program.delete("/api/heartbeats/nightly", params={"reason": "gone"}).status_code == 200
        eventually(lambda: "nightly" not in state())


def test_an_administrator_is_told_where_to_post(recount: Stack):
    with recount.client() as program, recount.browser() as ada:
        found = {one["sender"]: one for one in program.get("/api/intake/sources").json()["sources"]}
        assert found["grafana"]["url"].startswith("http")
        assert "curl" in found["json"]["curl"]
        assert "/hooks/grafana/" in ada.get("/intake").text
