"""A storm: 100,000 alerts in a minute from 5,000 distinct keys, through intake's HTTP door, incidents and on-call, on a
nats-server that syncs every write; beside Debian's prometheus-alertmanager with the same alerts where it is installed.

Run: ``.venv/bin/python benchmarks/bench_storm.py [--alerts 100000] [--keys 5000] [--seconds 60] [--services 3]``.
Every key fires once, is repeated, and half of them clear at the end. All through the storm, an alert of a service of
its own asks for a page every few seconds: how long that takes is what people would notice. The actors run in one
process, whose peak memory is printed; so does Alertmanager, which keeps alerts in memory and notifies a webhook.
"""

import argparse
import asyncio
import contextlib
import http.server
import json
import os
import shutil
import statistics
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

from tests.http_process import ALERTMANAGER, http_process, running_alertmanager  # noqa: E402
from tests.nats_process import NatsProcess, free_port  # noqa: E402  the root is no package

SECRET = "a" * 32
# What one notification of Alertmanager carries about a group in trouble.
ALERTS_PER_REQUEST = 20
# Alerts whose page is waited for, evenly over the storm.
CALLS = 30
CONNECTIONS = 16
QUIET_S = 3.0
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


@contextlib.contextmanager
def running_actors(nats_url: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Intake, incidents and on-call in a process of their own; gives its URL and its process id."""
    port = free_port()
    command = [sys.executable, __file__, "--serve", nats_url, str(port), str(folder)]
    url = f"http://127.0.0.1:{port}"
    with http_process(command, f"{url}/healthz", folder.parent / "actors.log") as pid:
        yield url, pid


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


def peak_mib(pid: int) -> float:
    """The most memory that a process has held, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def settled(nats_url: str, storm: Storm) -> tuple[Counter, dict[str, float], float, float]:
    """Wait until every alert is placed. Gives how often each fact was said, when the page of each service was asked
    for, how many MiB the log holds, and how long the last placing took after the last alert was recorded."""
    from events import decode
    from events.fact import tag_of
    from events.incident import IncidentDeclared
    from events.nats_log import NatsLog
    from events.page import PageRequested
    from services.broker import connect_client

    client = await connect_client(nats_url)
    log = NatsLog(client)
    said: Counter = Counter()
    services: dict[str, str] = {}
    paged: dict[str, float] = {}
    moments: dict[str, datetime] = {}

    async def watch() -> None:
        async for batch in log.follow(after=0):
            for stored in batch:
                event = decode(stored)
                tag = tag_of(type(event.fact))
                said[tag] += 1
                moments[tag] = event.recorded_at
                if isinstance(event.fact, IncidentDeclared):
                    services[event.stream.removeprefix("incident.")] = event.fact.service
                if isinstance(event.fact, PageRequested):
                    paged[services[event.fact.incident_id]] = event.recorded_at.timestamp()
            found = said["alert.fired"], said["incident.alert_linked"], said["alert.cleared"], len(paged)
            if found == (storm.fired, storm.fired, storm.cleared, said["incident.declared"]):
                return

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(watch(), LAG_MAX_S)
    info = await client.jetstream().stream_info("EVENTS")
    await client.close()
    lag_s = (moments["incident.alert_linked"] - moments["alert.fired"]).total_seconds()
    return said, paged, info.state.bytes / 1024**2, lag_s


async def serve(nats_url: str, port: int, data: Path) -> None:
    """Be the actors, with a key and a policy that are known beforehand."""
    import msgspec

    from events.escalation import Level
    from events.nats_log import NatsLog
    from events.nats_streams import declare_streams
    from events.person import Contact, PersonDetails
    from events.timers import NatsTimers
    from services.broker import connect_client, make_broker
    from services.clock import SystemClock
    from services.command import Order
    from services.context import Context
    from services.incidents.wiring import attach_incidents
    from services.intake.commands import CreateKey
    from services.intake.keys import secret_sha256
    from services.intake.serving import make_server
    from services.intake.wiring import attach_intake, make_app
    from services.keyring import Keyring
    from services.oncall.commands import AddPerson, ConfigurePolicy
    from services.oncall.wiring import attach_oncall
    from services.secrets import ensure_secrets
    from services.settings import Settings

    client = await connect_client(nats_url)
    await declare_streams(client.jetstream())
    broker = make_broker(nats_url)
    context = Context(
        broker=broker,
        client=client,
        log=NatsLog(client),
        timers=NatsTimers(client),
        clock=SystemClock(),
        settings=Settings(),
        secrets=ensure_secrets(data),
        keyring=Keyring(data / "people"),
        data=data,
    )
    intake = await attach_intake(context)
    await attach_incidents(context)
    oncall = await attach_oncall(context)

    async def order(handle, verb: str, command, target: str = "") -> None:
        asked = Order(
            id=verb,
            actor="service:bench",
            issued_at=datetime.now(UTC),
            target=target,
            command=msgspec.Raw(msgspec.json.encode(command)),
        )
        answer = await handle(asked, verb)
        assert type(answer).__name__ == "Done", answer

    key = CreateKey(sender="alertmanager", secret_sha256=secret_sha256(SECRET), key_id="key-alertmanager")
    await order(intake.service.handle, "create_key", key)
    ada = PersonDetails(
        name="Ada", handle="ada", zone="UTC", contacts=(Contact(channel="smtp", address="ada@example.org"),)
    )
    await order(oncall.handle, "add_person", AddPerson(details=ada))
    policy = ConfigurePolicy(levels=(Level(targets=("person.ada",), answer_within_s=3600),))
    await order(oncall.handle, "configure_policy", policy, "default")
    await broker.start()
    await make_server(make_app(context), "127.0.0.1", port).serve()


def measure(storm: Storm, *, services: int) -> None:
    """Print one row a system, then what Recount's log holds."""
    print(f"{os.cpu_count()} processors; {storm.alerts:,} alerts, {storm.fired:,} keys, {services} services in trouble")
    print(f"{'':28} {'sent in s':>9} {'not 2xx':>8} {'page p50 ms':>11} {'p99':>8} {'most':>8} {'peak MiB':>9}")
    folder = Path(tempfile.mkdtemp(prefix="bench-storm-"))
    try:
        nats = NatsProcess(Path(tempfile.mkdtemp(dir=folder))).start()
        try:
            with running_actors(nats.url, folder / "data") as (url, pid):
                sent = asyncio.run(send(storm, f"{url}/hooks/alertmanager/{SECRET}", as_webhook))
                said, paged, mib, lag_s = asyncio.run(settled(nats.url, storm))
                _row("Recount", sent, paged, peak_mib(pid))
        finally:
            nats.remove()
        if ALERTMANAGER:
            with listening() as (hook, heard), running_alertmanager(folder, alertmanager_config(hook)) as (url, pid):
                sent = asyncio.run(send(storm, f"{url}/api/v2/alerts", as_posted))
                time.sleep(QUIET_S)
                _row("Alertmanager (in memory)", sent, heard, peak_mib(pid))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nRecount's log: {sum(said.values()):,} facts, {mib:.1f} MiB; the last alert placed {lag_s:.1f} s later")
    for tag, count in sorted(said.items(), key=lambda item: -item[1]):
        print(f"  {count:7,} {tag}")
    expected = {
        "alert.fired": storm.fired,
        "alert.cleared": storm.cleared,
        "incident.alert_linked": storm.fired,
        "incident.declared": services + CALLS,
        "page.requested": services + CALLS,
    }
    wrong = {tag: (said[tag], count) for tag, count in expected.items() if said[tag] != count}
    assert not wrong, f"counts that are not right (said, expected): {wrong}"


def _row(name: str, sent: Sent, heard: dict[str, float], mib: float) -> None:
    delays_ms = sorted((heard[service] - at) * 1000 for service, at in sent.called_at.items() if service in heard)
    missing = len(sent.called_at) - len(delays_ms)
    p99 = delays_ms[min(len(delays_ms) - 1, int(len(delays_ms) * 0.99))]
    print(
        f"{name:28} {sent.seconds:9.1f} {sent.failed:8} {statistics.median(delays_ms):11.0f} {p99:8.0f} "
        f"{delays_ms[-1]:8.0f} {mib:9.0f}{f'  {missing} never' if missing else ''}",
        flush=True,
    )


def main() -> None:
    """Measure, or be the actors that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--services", type=int, default=3)
    parser.add_argument("--serve", nargs=3, metavar=("NATS", "PORT", "DATA"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        nats_url, port, data = options.serve
        asyncio.run(serve(nats_url, int(port), Path(data)))
    else:
        storm = make_storm(options.alerts, options.keys, options.seconds, options.services)
        measure(storm, services=options.services)


if __name__ == "__main__":
    main()
