"""Where the time of a page goes, as the log recorded it, and tables of it."""

import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from events import decode  # noqa: E402  the root is no package
from events.alert import AlertFired  # noqa: E402
from events.fact import tag_of  # noqa: E402
from events.incident import IncidentDeclared  # noqa: E402
from events.nats_intake_reading import read_intake  # noqa: E402
from events.nats_log import NatsLog  # noqa: E402
from events.page import PageRequested  # noqa: E402
from events.subjects import split  # noqa: E402
from services.broker import connect_client  # noqa: E402

HOPS = ("received", "alert.fired", "incident.declared", "page.requested", "page.attempted", "page.sent")
HEADER = f"{'':28} {'pages':>6} {'p50 ms':>7} {'p99':>7} {'most':>7} {'processor s':>11} {'peak MiB':>9}"


async def hops(nats_url: str) -> dict[str, dict[str, float]]:
    """When each call got how far, by its service: Unix times of `HOPS` as the log recorded them."""
    client = await connect_client(nats_url)
    log = NatsLog(client)
    receipts = (await client.jetstream().stream_info("INTAKE")).state.last_seq
    received = {
        f"intake-{stored.seq}": stored.recorded_at.timestamp()
        async for batch in read_intake(client, after=0, through=receipts)
        for stored in batch
    }
    found: dict[str, dict[str, float]] = defaultdict(dict)
    service_of: dict[str, str] = {}
    async for batch in log.bulk(after=0, through=await log.last_position()):
        for stored in batch:
            event = decode(stored)
            tag, at, identifier = tag_of(type(event.fact)), event.recorded_at.timestamp(), split(event.stream)[1]
            match event.fact:
                case AlertFired(service=service) if service.startswith("call-"):
                    found[service]["received"] = received[event.event.causation_id]
                    found[service][tag] = at
                case IncidentDeclared(service=service) if service in found:
                    service_of[identifier] = service
                    found[service][tag] = at
                case PageRequested(incident_id=incident_id) if incident_id in service_of:
                    service = service_of[identifier] = service_of[incident_id]
                    found[service][tag] = at
                case _ if tag in HOPS and identifier in service_of:
                    found[service_of[identifier]].setdefault(tag, at)
    await client.close()
    return found


def print_hops(called: Mapping[str, float], told: Mapping[str, Mapping[str, float]]) -> None:
    """Print how long each step of a call took: when each was sent, and how far it got when."""
    print(f"\n{'from the step before, ms':28} {'':6} {'p50':>7} {'p99':>7} {'most':>7}")
    steps = [{"sent": at} | told[call] for call, at in called.items()]
    for before, hop in zip(("sent", *HOPS), HOPS, strict=False):
        print(f"  {hop:26} {'':6} {_figures([(step[hop] - step[before]) * 1000 for step in steps])}")


def row(name: str, called: Mapping[str, float], heard: Mapping[str, float], used_s: float, mib: float) -> None:
    """Print how long the calls of one system took: the moments, as Unix times, at which each was sent and was heard."""
    delays_ms = [(heard[call] - at) * 1000 for call, at in called.items() if call in heard]
    missing = len(called) - len(delays_ms)
    print(
        f"{name:28} {len(delays_ms):6} {_figures(delays_ms)} {used_s:11.1f} {mib:9.0f}"
        f"{f'  {missing} never' if missing else ''}",
        flush=True,
    )


def _figures(milliseconds: Sequence[float]) -> str:
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{statistics.median(ordered):7.0f} {p99:7.0f} {ordered[-1]:7.0f}"
