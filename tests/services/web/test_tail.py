"""The live tail: resumes where it stopped, tells one incident alone, and lets the server stop."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from events.incident import Noted
from services.web.tail import RECENT_EVENTS
from tests.services.web.stack import Stack, eventually, running


def events(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Position and data of each event about an incident."""
    position = 0
    for line in lines:
        if line.startswith("id:"):
            position = int(line[3:])
        elif line.startswith("data:") and (event := json.loads(line[5:]))["stream"].startswith("incident."):
            yield position, event


def test_the_tail_tells_what_happens_and_resumes_after_the_last_event_id(recount: Stack):
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        after = ada.get("/api/position").json()["position"]
        incident = recount.declare("queue is stuck")
        for text in ("first", "second", "third"):
            ada.post(f"/api/incidents/{incident}/note", json={"text": text})
        with ada.stream("GET", "/api/tail", params={"after": after}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = events(answer.iter_lines())
            first = [next(told) for _ in range(3)]
        assert first[0][1]["headline"] == "declared sev2: queue is stuck"
        assert first[1][1]["headline"] == "Ada Lovelace: first"
        assert set(first[0][1]) == {
            "seq", "stream", "type", "happened_at", "recorded_at", "actor", "headline", "incident_id",
        }  # fmt: skip
        assert all(position == event["seq"] for position, event in first)
        assert first[0][1]["recorded_at"].endswith("Z")
        with ada.stream("GET", "/api/tail", headers={"Last-Event-ID": str(first[-1][0])}) as answer:
            assert next(events(answer.iter_lines()))[1]["headline"] == "Ada Lovelace: third"


def test_the_tail_of_one_incident_tells_nothing_else(recount: Stack):
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        after = ada.get("/api/position").json()["position"]
        one, other = recount.declare("one"), recount.declare("other")
        ada.post(f"/api/incidents/{one}/note", json={"text": "to the first"})
        with ada.stream("GET", "/api/tail", params={"after": after, "incident": one}) as answer:
            told = events(answer.iter_lines())
            assert {next(told)[1]["incident_id"] for _ in range(2)} == {one}
        assert other != one


def test_older_events_come_from_the_log_itself(recount: Stack):
    incident = recount.declare()
    for _ in range(2):
        recount.append(f"incident.{incident}", *(Noted(text=f"note {n}") for n in range(RECENT_EVENTS // 2 + 50)))
    with recount.client() as program, program.stream("GET", "/api/tail", params={"after": 0}) as answer:
        ids = (int(line[3:]) for line in answer.iter_lines() if line.startswith("id:"))
        assert [next(ids) for _ in range(600)] == list(range(1, 601))


def test_an_open_tail_hears_what_comes_and_is_forgotten_when_it_is_closed(recount: Stack):
    tail = recount.server.config.app.state.site.tail  # type: ignore[union-attr]
    heard: list[str] = []
    with recount.client() as program, program.stream("GET", "/api/tail") as answer:
        listening = threading.Thread(target=lambda: heard.append(next(events(answer.iter_lines()))[1]["headline"]))
        listening.start()
        eventually(lambda: tail.readers == 1)
        recount.declare("heard by whoever listens")
        listening.join(15)
    assert heard == ["declared sev2: heard by whoever listens"]
    eventually(lambda: tail.readers == 0)


def test_a_wrong_position_is_refused(recount: Stack):
    with recount.client() as program:
        assert program.get("/api/tail", params={"after": "-1"}).status_code == 400
        assert program.get("/api/tail", headers={"Last-Event-ID": "x"}).status_code == 400


def test_the_tail_goes_on_after_the_log_was_away(tmp_path: Path):
    with running(tmp_path / "away") as stack, stack.client(**{"Recount-Actor": "ada"}) as ada:
        former = stack.nats.pid
        with ada.stream("GET", "/api/tail") as answer:
            os.kill(former, signal.SIGKILL)
            eventually(lambda: stack.nats.pid != former, within_s=30)
            declare = {"json": {"title": "after the storm", "severity": "sev3"}, "headers": {"Idempotency-Key": "one"}}
            eventually(lambda: stack.client(**{"Recount-Actor": "ada"}).post("/api/incidents", **declare).is_success)
            assert next(events(answer.iter_lines()))[1]["headline"] == "declared sev3: after the storm"
        assert ada.get("/healthz").json()["status"] == "ok"


def test_open_tails_do_not_keep_the_server_from_stopping(tmp_path: Path):
    with running(tmp_path / "stopping") as stack:
        client = stack.client()
        request = client.build_request("GET", "/api/tail")
        answer = client.send(request, stream=True)
        ended = threading.Event()

        def read_to_the_end() -> None:
            try:
                for _ in answer.iter_lines():
                    pass
            except httpx.HTTPError:
                pass
            ended.set()

        threading.Thread(target=read_to_the_end).start()
        stack.stop()
        assert ended.wait(5)
        eventually(lambda: not stack.is_running, within_s=10)
        answer.close()
