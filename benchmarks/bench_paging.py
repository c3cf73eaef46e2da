"""How long an alert takes to its page at 200 alerts a second: from the sender's request to the mail at a server.

Run: ``.venv/bin/python benchmarks/bench_paging.py [--rate 200] [--seconds 60]``. A mix as of a bad hour: most alerts
are repeats, some begin to fire and join an incident of a service in trouble, some clear, and one in twenty is about a
service of its own and pages. The actors are `recount run actors`, NATS syncs every write, and the mails go to a real
SMTP server. Where each page's time went is read from the log. Beside it, in the same run: Debian's
prometheus-alertmanager with the same alerts, which keeps them in memory and notifies a webhook.
"""

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.actors import memory_mib, prepare, processor_s, running_actors, taking_mails, wait_for  # noqa: E402
from benchmarks.bench_storm import (  # noqa: E402  the root is no package
    Storm,
    alert,
    alertmanager_config,
    as_posted,
    as_webhook,
    listening,
    resolved,
    send,
)
from benchmarks.hops import HEADER, hops, print_hops, row  # noqa: E402
from tests.http_process import ALERTMANAGER, running_alertmanager  # noqa: E402
from tests.nats_process import NatsProcess  # noqa: E402

SERVICES_IN_TROUBLE = 20
# Of a hundred alerts: how many begin to fire and join, clear, and open an incident that pages. The rest are repeats.
JOIN, CLEAR, CALL = 15, 10, 5
# What is sent first, so that there is something to repeat and to clear, and is not measured.
WARM_UP_S = 3.0
LATEST_S = 60.0


def make_mix(rate: int, seconds: float, *, seed: int = 1) -> Storm:
    """The same alerts for the same numbers, one a request."""
    dice = random.Random(seed)
    begun = datetime.now(UTC).replace(microsecond=0)
    services = [f"service-{number}" for number in range(SERVICES_IN_TROUBLE)]
    firing: list[dict] = []
    requests: list[tuple[float, list[dict]]] = []
    fired = cleared = 0
    for number in range(int(rate * (WARM_UP_S + seconds))):
        due = number / rate
        chance = dice.randrange(100)
        if due < WARM_UP_S or chance < JOIN:
            firing.append(one := alert(f"host-{number}", dice.choice(services), begun))
            fired += 1
        elif chance < JOIN + CLEAR:
            one = resolved(firing.pop(dice.randrange(len(firing))))
            cleared += 1
        elif chance < JOIN + CLEAR + CALL:
            one = alert(f"call-{number}", f"call-{number}", begun)
            fired += 1
        else:
            one = dice.choice(firing)
        requests.append((due, [one]))
    return Storm(requests, len(requests), fired, cleared)


def measure(rate: int, seconds: float) -> None:
    """Print one row a system, then where Recount's time went."""
    mix = make_mix(rate, seconds)
    print(f"{os.cpu_count()} processors; {rate} alerts/s for {seconds:g} s, one a request")
    print(HEADER)
    folder = Path(tempfile.mkdtemp(prefix="bench-paging-"))
    try:
        server = NatsProcess(Path(tempfile.mkdtemp(dir=folder))).start()
        try:
            with taking_mails() as (mails, smtp_port):
                secret = prepare(folder / "data", smtp_port)
                with running_actors(server.url, folder / "data") as (url, pid):
                    before = processor_s(pid)
                    sent = asyncio.run(send(mix, f"{url}/hooks/alertmanager/{secret}", as_webhook))
                    wait_for(lambda: sent.called_at.keys() <= mails.arrived_at.keys(), LATEST_S)
                    assert not sent.failed, f"{sent.failed} requests were refused"
                    row("Recount", sent.called_at, mails.arrived_at, processor_s(pid) - before, memory_mib(pid))
                    told = asyncio.run(hops(server.url))
        finally:
            server.remove()
        if ALERTMANAGER:
            with listening() as (hook, heard), running_alertmanager(folder, alertmanager_config(hook)) as (url, pid):
                sent_too = asyncio.run(send(mix, f"{url}/api/v2/alerts", as_posted))
                wait_for(lambda: sent_too.called_at.keys() <= heard.keys(), LATEST_S)
                row("Alertmanager (in memory)", sent_too.called_at, heard, processor_s(pid), memory_mib(pid))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print_hops(sent.called_at, told)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=200, help="alerts a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long")
    options = parser.parse_args()
    measure(options.rate, options.seconds)


if __name__ == "__main__":
    main()
