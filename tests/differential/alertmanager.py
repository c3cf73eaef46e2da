"""Debian's Alertmanager, told of scenarios, and everything that it notified a real receiver about."""

import json
import re
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import httpx
import msgspec

from tests.differential.scenarios import Scenario, Silenced, alertmanager_config, posted_alerts
from tests.e2e.deployment import wait_for
from tests.http_process import running_alertmanager

# The last group waits 9 s; a thousand notifications take a few more.
NOTIFIED_S_MAX = 60.0


class Group(msgspec.Struct, frozen=True):
    """One notification: which alerts, to which route's receiver."""

    scenario: str
    route: str
    alerts: frozenset[str]
    """Their labels ``n``."""


class Receiver:
    """A webhook receiver: keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.is_over = Event()
        lock = Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    receiver.got.append((self.path.strip("/"), body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if self.path == "/last":
                    receiver.is_over.set()

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            # All groups are notified in the same moment.
            request_queue_size = 4_096
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="receiver")

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def notified(found: list[Scenario], folder: Path) -> list[Group]:
    """What Alertmanager notifies of when it is told all scenarios.

    Args:
        found: the scenarios.
        folder: a folder of its own.
    """
    with Receiver() as receiver:
        config, receivers = alertmanager_config(found, receiver.url)
        with running_alertmanager(folder, config) as (url, _pid), httpx.Client(base_url=url, timeout=30) as http:
            for each in found:
                for silence in each.silences:
                    _silence(http, each, silence, datetime.now(UTC))
            # They begin now: Alertmanager does not wait for a group whose alerts began before that.
            alerts = posted_alerts(found, datetime.now(UTC))
            http.post("/api/v2/alerts", content=alerts, headers={"Content-Type": "application/json"}).raise_for_status()
            assert receiver.is_over.wait(NOTIFIED_S_MAX), "Alertmanager did not notify the last receiver"
            wait_for(lambda: _told(http) == (len(receiver.got), 0), "all notifications arrived")
    return [_group(body, *receivers[int(number)]) for number, body in receiver.got if number != "last"]


def _group(body: dict[str, Any], scenario: str, route: str) -> Group:
    assert body["truncatedAlerts"] == 0
    assert {alert["labels"]["scenario"] for alert in body["alerts"]} == {scenario}
    return Group(scenario, route, frozenset(alert["labels"]["n"] for alert in body["alerts"]))


def _silence(http: httpx.Client, scenario: Scenario, silence: Silenced, now: datetime) -> None:
    starts = now + timedelta(hours=1) if silence.state == "pending" else now
    body = {
        "matchers": [
            {
                "name": matcher.name,
                "value": matcher.value,
                "isRegex": matcher.operator.endswith("~"),
                "isEqual": matcher.operator.startswith("="),
            }
            for matcher in (*silence.matchers, scenario.matcher)
        ],
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": scenario.name,
    }
    made = http.post("/api/v2/silences", json=body)
    assert made.status_code == 200, made.text
    if silence.state == "ended":
        http.delete(f"/api/v2/silence/{made.json()['silenceID']}").raise_for_status()


def _told(http: httpx.Client) -> tuple[int, int]:
    """How many webhook notifications it sent, and how many of them failed."""
    text = http.get("/metrics").text
    counts = [
        re.search(rf'^alertmanager_notifications{name}_total{{integration="webhook"}} (\S+)$', text, re.MULTILINE)
        for name in ("", "_failed")
    ]
    return tuple(int(float(count[1])) if count else 0 for count in counts)  # type: ignore[return-value]
