"""How many webhooks a second intake takes, each on disk before its 2xx, beside Debian's prometheus-alertmanager.

Run: ``.venv/bin/python benchmarks/bench_intake.py [--seconds 8] [--connections 64]``. It starts a nats-server that
syncs every write, intake in a process of its own and, where it is installed, Alertmanager, which keeps alerts in
memory. The load comes from ``wrk``, which is native; its share of a processor is printed, because it runs on the same
machine.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.http_process import ALERTMANAGER, http_process, running_alertmanager  # noqa: E402
from tests.nats_process import NatsProcess, free_port  # noqa: E402  the root is no package

SECRETS = {"alertmanager": "a" * 32, "pagerduty": "b" * 32, "json": "c" * 32, "cloudevents": "d" * 32}
ALERTS_PER_BATCH = 64
NOBODY_IS_TOLD = "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n"


@dataclass
class Load:
    """What one run of the load generator measured."""

    requests_per_s: float
    p99_ms: float
    failed: int
    """Requests that were not answered with 2xx."""
    share: float
    """Of one processor, taken by the load generator."""


def alert(number: int) -> dict:
    """An alert of a common size."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "CheckoutDown",
            "service": "checkout",
            "severity": "critical",
            "instance": f"checkout-{number}.example.org:9090",
            "job": "checkout",
        },
        "annotations": {"summary": "checkout answers 500", "runbook": "https://runbooks.example.org/checkout"},
        "startsAt": "2026-03-01T14:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=up",
        "fingerprint": f"{number:016x}",
    }


def notification(count: int) -> bytes:
    """What Alertmanager's webhook sends about a group of alerts."""
    whole = {
        "version": "4",
        "groupKey": '{}:{alertname="CheckoutDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "recount",
        "groupLabels": {"alertname": "CheckoutDown"},
        "commonLabels": {"alertname": "CheckoutDown"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [alert(number) for number in range(count)],
    }
    return json.dumps(whole).encode()


def posted_alerts(count: int) -> bytes:
    """The same alerts as Prometheus posts them to Alertmanager."""
    fields = ("labels", "annotations", "generatorURL")
    alerts = [{**{name: one[name] for name in fields}, "startsAt": _now()} for one in map(alert, range(count))]
    return json.dumps(alerts).encode()


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def load(url: str, body: bytes, folder: Path, *, seconds: int, connections: int) -> Load:
    """Post a body as fast as it is answered."""
    script = folder / "post.lua"
    (folder / "body").write_bytes(body)
    script.write_text(
        f'local file = io.open("{folder / "body"}", "rb")\n'
        'wrk.method = "POST"\nwrk.body = file:read("*a")\nwrk.headers["Content-Type"] = "application/json"\n'
        "done = function(summary, latency, requests)\n"
        "  io.write(string.format('RESULT %f %f %d\\n', summary.requests / (summary.duration / 1e6),\n"
        "    latency:percentile(99.0) / 1e3, summary.errors.status + summary.errors.connect + summary.errors.read\n"
        "    + summary.errors.write + summary.errors.timeout))\nend\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script, url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rate, p99_ms, failed = re.search(r"RESULT (\S+) (\S+) (\S+)", output).groups()
    return Load(float(rate), float(p99_ms), int(failed), used / (time.monotonic() - started))


@contextlib.contextmanager
def running_intake(folder: Path, nats_url: str, *, translates: bool) -> Iterator[str]:
    """Intake in a process of its own; gives its URL."""
    port = free_port()
    command = [sys.executable, __file__, "--serve", nats_url, str(port), str(folder / "data")]
    if translates:
        command.append("--translate")
    url = f"http://127.0.0.1:{port}"
    with http_process(command, f"{url}/healthz", folder / "intake.log"):
        yield url


async def serve(nats_url: str, port: int, data: Path, *, translates: bool) -> None:
    """Be intake, with keys that are known beforehand."""
    import msgspec

    from events.nats_log import NatsLog
    from events.nats_streams import declare_streams
    from events.timers import NatsTimers
    from services.broker import connect_client, make_broker
    from services.clock import SystemClock
    from services.command import Order
    from services.context import Context
    from services.intake.commands import CreateKey
    from services.intake.keys import secret_sha256
    from services.intake.serving import make_server
    from services.intake.wiring import attach_intake, make_app
    from services.keyring import Keyring
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
    for sender, secret in SECRETS.items():
        key = CreateKey(sender=sender, secret_sha256=secret_sha256(secret), key_id=f"key-{sender}")
        order = Order(
            id=sender, actor="service:bench", issued_at=datetime.now(UTC), command=msgspec.Raw(msgspec.json.encode(key))
        )
        await intake.service.handle(order, "create_key")
    if translates:
        await broker.start()
    await make_server(make_app(context), "127.0.0.1", port).serve()
    await broker.stop()
    await client.close()


def count_receipts(nats_url: str) -> int:
    """How many receipts INTAKE holds."""

    async def ask() -> int:
        from services.broker import connect_client

        client = await connect_client(nats_url)
        info = await client.jetstream().stream_info("INTAKE")
        await client.close()
        return int(info.state.messages)

    return asyncio.run(ask())


def measure(seconds: int, connections: int) -> None:
    """Print one row a measurement."""
    if shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs wrk: apt-get install wrk")
    print(f"{os.cpu_count()} processors, {connections} connections, {seconds} s each")
    print(f"{'':44} {'requests/s':>11} {'alerts/s':>9} {'p99 ms':>7} {'not 2xx':>8} {'load share':>10}")
    folder = Path(tempfile.mkdtemp(prefix="bench-intake-"))
    hook = f"/hooks/alertmanager/{SECRETS['alertmanager']}"
    try:
        for name, count, translates in (
            ("intake, 1 alert a request", 1, False),
            (f"intake, {ALERTS_PER_BATCH} alerts a request", ALERTS_PER_BATCH, False),
            ("intake, 1 alert a request, translating too", 1, True),
        ):
            nats = NatsProcess(Path(tempfile.mkdtemp(dir=folder))).start()
            try:
                with running_intake(folder, nats.url, translates=translates) as url:
                    result = load(url + hook, notification(count), folder, seconds=seconds, connections=connections)
                    _row(name, result, count)
                    stored = count_receipts(nats.url)
                    promised = result.requests_per_s * seconds - result.failed
                    assert stored >= promised * 0.98, f"{stored} receipts stored, about {promised:.0f} promised"
            finally:
                nats.remove()
        if ALERTMANAGER:
            with running_alertmanager(folder, NOBODY_IS_TOLD) as (url, _pid):
                for count in (1, ALERTS_PER_BATCH):
                    result = load(
                        f"{url}/api/v2/alerts", posted_alerts(count), folder, seconds=seconds, connections=connections
                    )
                    _row(f"Alertmanager (in memory), {count} a request", result, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _row(name: str, result: Load, alerts: int) -> None:
    print(
        f"{name:44} {result.requests_per_s:11,.0f} {result.requests_per_s * alerts:9,.0f} {result.p99_ms:7.1f} "
        f"{result.failed:8} {result.share:9.0%}",
        flush=True,
    )


def main() -> None:
    """Measure, or be the intake that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--serve", nargs=3, metavar=("NATS", "PORT", "DATA"), help=argparse.SUPPRESS)
    parser.add_argument("--translate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        nats_url, port, data = options.serve
        run(serve(nats_url, int(port), Path(data), translates=options.translate))
    else:
        measure(options.seconds, options.connections)


def run(main) -> None:
    """On uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


if __name__ == "__main__":
    main()
