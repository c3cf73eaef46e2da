"""A storm: 100,000 alerts in a minute from 5,000 distinct keys, from the sender's request to the mail at a server;
beside Debian's prometheus-alertmanager with the same alerts where it is installed.

Run: ``.venv/bin/python benchmarks/bench_storm.py [--alerts 100000] [--keys 5000] [--seconds 60] [--services 3]``.
Every key fires once, is repeated, and half of them clear at the end. All through the storm, an alert of a service of
its own asks for a page every few seconds: how long that takes is what people would notice. The actors are `recount run
actors` on a nats-server that syncs every write. Alertmanager keeps alerts in memory and notifies a webhook.
"""

import argparse
import asyncio
import contextlib
import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.actors import memory_mib, prepare, processor_s, running_actors, taking_mails, wait_for  # noqa: E402
from benchmarks.hops import HEADER, hops, print_hops, row  # noqa: E402
from tests.http_process import ALERTMANAGER, running_alertmanager  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402  the root is no package

# What one notification of Alertmanager carries about a group in trouble.
ALERTS_PER_REQUEST = 20
# Alerts whose page is waited for, evenly over the storm.
CALLS = 30
CONNECTIONS = 16
QUIET_S = 10.0
LAG_MAX_S = 300.0


@dataclass
class Storm:
    """What is sent, in order: each request's alerts and when it is due, in seconds from the start."""

    requests: list[tuple[float, list[dict]]]
    alerts: int
    fired: int
    cleared: int


@dataclass
class Sent:
    """What a sender saw."""

    seconds: float = 0.0
    failed: int = 0
    called_at: dict[str, float] = field(default_factory=dict)
    """When each alert that asks for a page was sent, by its service; Unix time."""


def make_storm(alerts: int, keys: int, seconds: float, services: int) -> Storm:
    """The same storm for the same numbers."""
    begun = datetime.now(UTC).replace(microsecond=0)
    firing = [alert(f"host-{number}", f"service-{number % services}", begun) for number in range(keys)]
    cleared = [resolved(one) for one in firing[: keys // 2]]
    body = [firing[number % keys] for number in range(alerts - len(cleared) - CALLS)] + cleared
    chunks = [body[start : start + ALERTS_PER_REQUEST] for start in range(0, len(body), ALERTS_PER_REQUEST)]
    requests = [(seconds * number / len(chunks), chunk) for number, chunk in enumerate(chunks)]
    for number in range(CALLS):
        requests.append((seconds * (number + 0.5) / CALLS, [alert(f"call-{number}", f"call-{number}", begun)]))
    return Storm(sorted(requests, key=lambda request: request[0]), alerts, keys + CALLS, len(cleared))


def alert(name: str, service: str, begun: datetime) -> dict:
    """An alert of a common size."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "HostDown",
            "service": service,
            "severity": "critical",
            "instance": f"{name}.example.org:9100",
        },
        "annotations": {"summary": f"{name} does not answer", "runbook": "https://runbooks.example.org/host"},
        "startsAt": _iso(begun),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=up",
        "fingerprint": f"{name}-{service}",
    }


def resolved(firing: dict) -> dict:
    """Its clearing."""
    return {**firing, "status": "resolved", "endsAt": _iso(datetime.now(UTC))}


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def as_webhook(alerts: list[dict]) -> bytes:
    """What Alertmanager's webhook sends."""
    return json.dumps({"version": "4", "status": "firing", "receiver": "recount", "alerts": alerts}).encode()


def as_posted(alerts: list[dict]) -> bytes:
    """The same alerts as Prometheus posts them to Alertmanager."""
    fields = ("labels", "annotations", "generatorURL", "startsAt")
    far = _iso(datetime.now(UTC).replace(year=datetime.now(UTC).year + 1))
    return json.dumps(
        [
            {**{name: one[name] for name in fields}, "endsAt": one["endsAt"] if one["status"] == "resolved" else far}
            for one in alerts
        ]
    ).encode()


async def send(storm: Storm, url: str, encode) -> Sent:
    """Send a storm at its pace, and what the server cannot take at that pace as fast as it can."""
    import httpx

    sent, waiting = Sent(), iter(storm.requests)
    began = time.monotonic()
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(timeout=60) as client:

        async def worker() -> None:
            for due, alerts in waiting:
                await asyncio.sleep(max(0.0, began + due - time.monotonic()))
                service = alerts[0]["labels"]["service"]
                if service.startswith("call-"):
                    sent.called_at[service] = time.time()
                for _again in range(20):
                    answer = await client.post(url, content=encode(alerts), headers=headers)
                    if answer.is_success:
                        break
                    sent.failed += 1
                    await asyncio.sleep(0.5)

        await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    sent.seconds = time.monotonic() - began
    return sent


def alertmanager_config(webhook: str) -> str:
    """One group a service, as Recount has it."""
    return (
        "route: { receiver: hook, group_by: [service], group_wait: 0s, group_interval: 5m }\n"
        f"receivers: [ {{ name: hook, webhook_configs: [ {{ url: '{webhook}' }} ] }} ]\n"
    )


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, dict[str, float]]]:
    """A webhook; gives its URL and when each service was first notified about, which fills up."""
    heard: dict[str, float] = {}

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.setdefault(body["groupLabels"].get("service", ""), time.time())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", heard
    finally:
        server.shutdown()


async def settled(nats_url: str, storm: Storm) -> tuple[Counter, float, float]:
    """Wait until every alert is placed. Gives how often each fact was said, how many MiB the log holds, and how long
    the last placing took after the last alert was recorded."""
    from events import decode
    from events.fact import tag_of
    from events.nats_log import NatsLog
    from services.broker import connect_client

    client = await connect_client(nats_url)
    said: Counter = Counter()
    moments: dict[str, datetime] = {}

    async def watch() -> None:
        async for batch in NatsLog(client).follow(after=0):
            for stored in batch:
                event = decode(stored)
                tag = tag_of(type(event.fact))
                said[tag] += 1
                moments[tag] = event.recorded_at
            found = said["alert.fired"], said["incident.alert_linked"], said["alert.cleared"], said["page.sent"]
            if found == (storm.fired, storm.fired, storm.cleared, said["incident.declared"]):
                return

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch(), LAG_MAX_S)
    info = await client.jetstream().stream_info("EVENTS")
    await client.close()
    lag_s = (moments["incident.alert_linked"] - moments["alert.fired"]).total_seconds()
    return said, info.state.bytes / 1024**2, lag_s


def measure(storm: Storm, *, services: int) -> None:
    """Print one row a system, then where the time of Recount's pages went and what its log holds."""
    print(f"{os.cpu_count()} processors; {storm.alerts:,} alerts, {storm.fired:,} keys, {services} services in trouble")
    print(HEADER)
    folder = Path(tempfile.mkdtemp(prefix="bench-storm-"))
    try:
        server = NatsProcess(Path(tempfile.mkdtemp(dir=folder))).start()
        try:
            with taking_mails() as (mails, smtp_port):
                secret = prepare(folder / "data", smtp_port)
                with running_actors(server.url, folder / "data") as (url, pid):
                    before = processor_s(pid)
                    sent = asyncio.run(send(storm, f"{url}/hooks/alertmanager/{secret}", as_webhook))
                    said, mib, lag_s = asyncio.run(settled(server.url, storm))
                    row("Recount", sent.called_at, mails.arrived_at, processor_s(pid) - before, memory_mib(pid))
                    told = asyncio.run(hops(server.url))
        finally:
            server.remove()
        if ALERTMANAGER:
            with listening() as (hook, heard), running_alertmanager(folder, alertmanager_config(hook)) as (url, pid):
                sent_too = asyncio.run(send(storm, f"{url}/api/v2/alerts", as_posted))
                wait_for(lambda: sent_too.called_at.keys() <= heard.keys(), QUIET_S)
                row("Alertmanager (in memory)", sent_too.called_at, heard, processor_s(pid), memory_mib(pid))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_hops(sent.called_at, told)
    print(f"\nSent in {sent.seconds:.1f} s, {sent.failed} requests refused.")
    print(f"Recount's log: {sum(said.values()):,} facts, {mib:.1f} MiB; the last alert placed {lag_s:.1f} s later")
    for tag, count in sorted(said.items(), key=lambda item: -item[1]):
        print(f"  {count:7,} {tag}")
    expected = {
        "alert.fired": storm.fired,
        "alert.cleared": storm.cleared,
        "incident.alert_linked": storm.fired,
        "incident.declared": services + CALLS,
        "page.sent": services + CALLS,
    }
    wrong = {tag: (said[tag], count) for tag, count in expected.items() if said[tag] != count}
    assert not wrong, f"counts that are not right (said, expected): {wrong}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--services", type=int, default=3)
    options = parser.parse_args()
    storm = make_storm(options.alerts, options.keys, options.seconds, options.services)
    measure(storm, services=options.services)


if __name__ == "__main__":
    main()
